#ifndef HYBRIDSERVE_KERNELS_LINEAR_ONEDNN_H_
#define HYBRIDSERVE_KERNELS_LINEAR_ONEDNN_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/dtype.h"
#include "kernels/linear_kernel.h"

namespace hybridserve {

// oneDNN's matmul with packed weights, for one dtype.
//
// A blob is in the format that oneDNN chooses for 64 rows, with output
// features padded to a multiple of 64, and is read in place: a memory object
// is made over its address, so it may be copied anywhere. Rows are padded to
// buckets (powers of 2), because run-time dimensions change results.
//
// Unimplemented where oneDNN has no brgemm kernel for the dtype on this
// machine: others are known not to keep rows independent. `any_implementation`
// takes those too, for tests.
absl::StatusOr<std::unique_ptr<LinearKernel>> CreateOneDnnLinear(
    DType dtype, bool any_implementation = false);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LINEAR_ONEDNN_H_
