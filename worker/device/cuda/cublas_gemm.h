#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_CUBLAS_GEMM_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_CUBLAS_GEMM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/dtype.h"

struct CUstream_st;

namespace hybridserve {

// sums = x W^T, or sums += x W^T with `accumulate`. Device memory; row-major,
// strides in elements.
struct GemmArgs {
  const void* x;  // [m, k] of `dtype`.
  int64_t x_stride;
  const void* weight;  // [n, k] of `dtype`, dense.
  DType dtype;         // A floating point one.
  float* sums;         // [m, n]
  int64_t sums_stride;
  int64_t m;
  int64_t n;
  int64_t k;
  bool accumulate;
};

// Matrix products by cuBLAS, which is opened at run time: programs run without
// it. Accumulates in float32. Thread-compatible.
class CublasGemm {
 public:
  // Opens the first of `libraries` that is there; an empty name is this
  // program. Unavailable with what was tried.
  static absl::StatusOr<std::unique_ptr<CublasGemm>> Create(
      const std::vector<std::string>& libraries);
  CublasGemm(const CublasGemm&) = delete;
  CublasGemm& operator=(const CublasGemm&) = delete;
  ~CublasGemm();

  // Queues the product.
  absl::Status Run(const GemmArgs& args, CUstream_st* stream);

 private:
  struct Functions;

  CublasGemm(void* library, std::unique_ptr<Functions> functions);

  void* const library_;
  const std::unique_ptr<Functions> functions_;
  void* handle_ = nullptr;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_CUBLAS_GEMM_H_
