#ifndef HYBRIDSERVE_WORKER_OFFLOAD_LOGIT_CHANGE_BUILDER_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_LOGIT_CHANGE_BUILDER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/sampling_params.h"
#include "kernels/logit_change.h"

namespace hybridserve {

// Works out what SamplingParams' penalties and biases come to, from a
// sequence's ids: the same for every device. Thread-compatible.
class LogitChangeBuilder {
 public:
  explicit LogitChangeBuilder(int64_t vocab_size)
      : indices_(vocab_size, kNone) {}

  // The changed ids, each once: in the order in which they came up, then those
  // that did not. `tokens` are ids of the vocabulary; the first `num_prompt` of
  // them are the prompt's. Linear in their number.
  std::vector<LogitChange> Build(absl::Span<const int32_t> tokens,
                                 int32_t num_prompt,
                                 const SamplingParams& params);

 private:
  static constexpr int32_t kNone = -1;

  // Where in the result each id is; all kNone between calls.
  std::vector<int32_t> indices_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_LOGIT_CHANGE_BUILDER_H_
