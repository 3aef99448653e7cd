#ifndef HYBRIDSERVE_WORKER_MODEL_LOAD_TASKS_H_
#define HYBRIDSERVE_WORKER_MODEL_LOAD_TASKS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/model_config.h"
#include "kernels/weight_layout.h"
#include "worker/model/host_weights.h"
#include "worker/model/tensor_source.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {

// Some rows of a tensor and what becomes of them. Tasks write to different
// places and may run in any order, side by side.
struct LoadTask {
  std::string tensor;
  int64_t first_row = 0;
  int64_t num_rows = 0;
  int64_t source_bytes = 0;
  // Puts the rows where the plan says.
  std::function<absl::Status(absl::Span<const char> rows)> store;
};

// Everything to be done to fill `into` from `source`, layer by layer. The tasks
// borrow `layout` and the spans.
std::vector<LoadTask> MakeLoadTasks(const TensorSource& source,
                                    const ModelConfig& config,
                                    const WeightPlan& plan,
                                    const WeightLayout& layout,
                                    const WeightSpans& into);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_LOAD_TASKS_H_
