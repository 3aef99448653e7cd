#ifndef HYBRIDSERVE_KERNELS_SAMPLE_CPU_H_
#define HYBRIDSERVE_KERNELS_SAMPLE_CPU_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/sampling_params.h"
#include "kernels/logit_change.h"

namespace hybridserve {

// The token that `params` choose for `position`, given a full row of logits
// (not empty), changed already. See SamplingParams for the order of things.
//
// Ties go to the lowest id wherever candidates are ranked. A NaN logit counts
// as -infinity; with no finite logit, or one of +infinity, the choice is the
// greedy one, and id 0 if all are NaN.
int32_t SampleToken(absl::Span<const float> logits,
                    const SamplingParams& params, int64_t position);

// Changes a row of logits as SampleRow in kernels/ops.h says.
void ApplyLogitChanges(absl::Span<const LogitChange> changes,
                       double repetition_penalty, absl::Span<float> logits);

// The ids of the `count` highest logits, in descending order, the lowest id
// among equals; fewer if there are not so many that are not NaN.
std::vector<int32_t> TopIds(absl::Span<const float> logits, int64_t count);

// The highest logit's id; see SampleToken for NaN.
int32_t ArgMax(absl::Span<const float> logits);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_SAMPLE_CPU_H_
