#ifndef HYBRIDSERVE_KERNELS_LINEAR_PROBE_H_
#define HYBRIDSERVE_KERNELS_LINEAR_PROBE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/dtype.h"
#include "kernels/linear_kernel.h"

namespace hybridserve {

// Checks the contract of Ops::Linear on weights with `k` input features, bit
// for bit: rows alone and in company, columns in one piece and in several, one
// thread and several. A few milliseconds for a model's sizes.
//
// FailedPrecondition with what differed; the kernel's own error if it cannot
// pack. Deterministic on one machine.
absl::Status ProbeLinear(LinearKernel& kernel, DType dtype, int64_t k);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LINEAR_PROBE_H_
