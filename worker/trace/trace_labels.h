#ifndef HYBRIDSERVE_WORKER_TRACE_TRACE_LABELS_H_
#define HYBRIDSERVE_WORKER_TRACE_TRACE_LABELS_H_

#include <array>
#include <cstdint>

#include "kernels/device/device.h"

namespace hybridserve {

// What ops are for, so that a trace can name them. Numbers: -1 for none.
struct OpLabel {
  const char* kind = "";  // A literal: "weights", "attention".
  int64_t layer = -1;
  int64_t mini_batch = -1;
};

// What the ops queued next are for, a stream kind. Who queues sets it; a
// tracing device reads it. Thread-compatible, as the streams.
class TraceLabels {
 public:
  void Set(StreamKind stream, const OpLabel& label) {
    labels_[static_cast<int>(stream)] = label;
  }
  const OpLabel& of(StreamKind stream) const {
    return labels_[static_cast<int>(stream)];
  }

 private:
  std::array<OpLabel, 3> labels_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_TRACE_TRACE_LABELS_H_
