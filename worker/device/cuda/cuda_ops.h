#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_OPS_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_OPS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/ops.h"
#include "worker/device/cuda/argument_ring.h"
#include "worker/device/cuda/cublas_gemm.h"
#include "worker/device/cuda/cuda_stream.h"
#include "worker/device/cuda/dense_layout.h"

namespace hybridserve {

struct CudaOpsOptions {
  std::vector<std::string> cublas_libraries;
  // Matrix products run kInvariantRows rows at a time, the last ones padded, so
  // that cuBLAS, which chooses its way of adding by the shape, chooses the same
  // for a row in any company.
  bool batch_invariant = false;
};

// Ops on the current device: our own kernels (kernels/*_cuda.cu), and cuBLAS
// for matrix products.
class CudaOps final : public Ops {
 public:
  // Allocates what ops need besides their arguments. Unavailable without
  // cuBLAS (CublasGemm::Create), ResourceExhausted without room.
  static absl::StatusOr<std::unique_ptr<CudaOps>> Create(
      const CudaOpsOptions& options);

  absl::Status Linear(Stream& stream, const LinearArgs& args) override;
  absl::Status LayerNorm(Stream& stream, const LayerNormArgs& args) override;
  absl::Status Convert(Stream& stream, const ConvertArgs& args) override;
  absl::Status Rotary(Stream& stream, const RotaryArgs& args) override;
  absl::Status Attention(Stream& stream, const AttentionArgs& args) override;
  absl::Status Sample(Stream& stream, const SampleArgs& args) override;
  absl::Status LogProb(Stream& stream, const LogProbArgs& args) override;

  const WeightLayout& weight_layout() const { return layout_; }
  // cuBLAS's.
  int library_version() const { return gemm_->version(); }
  // Of device memory, held from Create() on.
  int64_t reserved_bytes() const { return reserved_bytes_; }

 private:
  CudaOps() = default;

  absl::Status Reserve(int64_t bytes, std::unique_ptr<Buffer>& buffer);
  // Sequences [first, first + count) of a call to Attention().
  absl::Status AttendSequences(CudaStream& stream, const AttentionArgs& args,
                               size_t first, size_t count);
  // Whether a product's sums may stand where its result will.
  bool SumsInPlace(const LinearArgs& args) const;
  // Rows of x and y that have room for their sums.
  absl::Status LinearRows(CudaStream& stream, const LinearArgs& args);
  // Rows [first, first + count) of a call to Sample().
  absl::Status SampleRows(CudaStream& stream, const SampleArgs& args,
                          int64_t first, int64_t count);
  // Batch invariant: makes `gemm` kInvariantRows rows of padded_x_, which hold
  // its x from here on, and its sums those of `args.y` if it adds to them.
  absl::Status Pad(CudaStream& stream, const LinearArgs& args, GemmArgs& gemm);

  DenseLayout layout_;
  int64_t reserved_bytes_ = 0;
  std::unique_ptr<Buffer> workspace_;  // Of gemm_.
  std::unique_ptr<CublasGemm> gemm_;
  std::unique_ptr<ArgumentRing> ring_;
  // Sums of a product whose result is of another dtype, some rows at a time.
  std::unique_ptr<Buffer> sums_;
  // Batch invariant: x, padded. Null if not.
  std::unique_ptr<Buffer> padded_x_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_OPS_H_
