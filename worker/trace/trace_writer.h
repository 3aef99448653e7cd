#ifndef HYBRIDSERVE_WORKER_TRACE_TRACE_WRITER_H_
#define HYBRIDSERVE_WORKER_TRACE_TRACE_WRITER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hybridserve {

// One op's time on one track.
struct TraceSlice {
  int track = 0;
  std::string name;
  absl::Time begin;
  absl::Time end;
};

// Collects slices and writes them as Chrome's trace event JSON, which Perfetto
// and chrome://tracing open. Thread-safe.
class TraceWriter {
 public:
  // Slices beyond `max_slices` are counted, not kept.
  explicit TraceWriter(size_t max_slices = 2'000'000)
      : max_slices_(max_slices) {}

  // A new track; tracks show in the order of their making.
  int AddTrack(const std::string& name);
  void Add(TraceSlice slice);

  // The JSON. Times count from the first slice's begin, in microseconds.
  std::string ToJson() const;
  // Writes it to a file. Unavailable, naming the file, if that fails.
  absl::Status WriteFile(const std::string& path) const;

 private:
  const size_t max_slices_;
  mutable absl::Mutex mutex_;
  std::vector<std::string> tracks_ ABSL_GUARDED_BY(mutex_);
  std::vector<TraceSlice> slices_ ABSL_GUARDED_BY(mutex_);
  int64_t num_dropped_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_TRACE_TRACE_WRITER_H_
