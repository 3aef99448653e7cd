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
  // Device memory that products may work in: what cuBLAS's documentation
  // recommends for the largest architectures.
  static constexpr int64_t kWorkspaceBytes = int64_t{32} << 20;

  // Opens the first of `libraries` that is there; an empty name is this
  // program. Unavailable with what was tried. `workspace` is of
  // kWorkspaceBytes, in device memory, borrowed, and outlives this; products
  // are deterministic only with one of their own ("Results reproducibility").
  static absl::StatusOr<std::unique_ptr<CublasGemm>> Create(
      const std::vector<std::string>& libraries, void* workspace);
  CublasGemm(const CublasGemm&) = delete;
  CublasGemm& operator=(const CublasGemm&) = delete;
  ~CublasGemm();

  // Of the library: another may add in another order.
  int version() const { return version_; }

  // Queues the product.
  absl::Status Run(const GemmArgs& args, CUstream_st* stream);

 private:
  struct Functions;

  CublasGemm(void* library, std::unique_ptr<Functions> functions,
             void* workspace);

  // Products go there from now on.
  absl::Status SetStream(CUstream_st* stream);

  void* const library_;
  const std::unique_ptr<Functions> functions_;
  void* const workspace_;
  void* handle_ = nullptr;
  int version_ = 0;
  CUstream_st* stream_ = nullptr;  // Null: none is set yet.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_CUBLAS_GEMM_H_
