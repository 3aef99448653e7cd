#ifndef HYBRIDSERVE_COMMON_SAMPLING_CHECK_H_
#define HYBRIDSERVE_COMMON_SAMPLING_CHECK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/sampling_params.h"

namespace hybridserve {

// INVALID_ARGUMENT, naming the field as the API does (FieldOf(),
// status_details.h), unless a model with a vocabulary of so many ids can choose
// tokens by `sampling`.
absl::Status CheckSampling(const SamplingParams& sampling, int64_t vocab_size);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_SAMPLING_CHECK_H_
