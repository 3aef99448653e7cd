#ifndef HYBRIDSERVE_TESTS_EMULATION_ACCESS_HISTORY_H_
#define HYBRIDSERVE_TESTS_EMULATION_ACCESS_HISTORY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "tests/emulation/kernel_memory.h"

namespace hybridserve::emulation {

// How many operations of each stream are sure to be done: by stream number.
class VectorClock {
 public:
  uint64_t operator[](size_t stream) const {
    return stream < counts_.size() ? counts_[stream] : 0;
  }
  void Raise(size_t stream, uint64_t count);
  void Join(const VectorClock& other);

 private:
  std::vector<uint64_t> counts_;
};

// One operation of a stream, and what is sure to be done before it.
struct OperationStamp {
  size_t stream = 0;
  uint64_t count = 0;  // Of its stream, from 1.
  std::string name;
  VectorClock before;
};

// Which operations touched which bytes last. Thread-compatible.
class AccessHistory {
 public:
  // Adds an operation that touched `ranges`; returns the name of an earlier one
  // that touched the same bytes, at least one of them writing, and that nothing
  // orders before it. The first found.
  std::optional<std::string> Add(const OperationStamp& operation,
                                 absl::Span<const ByteRange> ranges);
  // Forgets bytes: their memory was given back.
  void Forget(uintptr_t begin, uintptr_t end);

 private:
  struct Touch {
    size_t stream = 0;
    uint64_t count = 0;
    size_t name = 0;  // Into names_.
  };
  struct Segment {
    uintptr_t end = 0;
    std::optional<Touch> writer;
    std::vector<Touch> readers;  // Since; at most one a stream.
  };

  // Makes `address` a boundary between segments.
  void Split(uintptr_t address);
  std::optional<Touch> AddTo(Segment& segment, const OperationStamp& operation,
                             bool written, size_t name);

  std::map<uintptr_t, Segment> segments_;  // By begin; no overlap.
  std::vector<std::string> names_;
  std::map<std::string, size_t> name_numbers_;
};

}  // namespace hybridserve::emulation

#endif  // HYBRIDSERVE_TESTS_EMULATION_ACCESS_HISTORY_H_
