#include "worker/device/cuda/link_check.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/status_macros.h"
#include "kernels/cuda/status.h"
#include "kernels/device/buffer.h"
#include "worker/device/cuda/cuda_buffer.h"
#include "worker/device/cuda/cuda_event.h"

namespace hybridserve {
namespace {

// Large enough that what a copy costs before its first byte does not count for
// more than a few percent.
constexpr int64_t kBytes = int64_t{8} << 20;
constexpr int kPasses = 4;  // The first warms up; of the others the best.

// Bytes a second of the copy, which is done when this returns.
absl::StatusOr<double> TimeCopy(const Buffer& to, const Buffer& from,
                                cudaMemcpyKind kind) {
  CudaEvent begin(/*timed=*/true);
  CudaEvent end(/*timed=*/true);
  RETURN_IF_ERROR(
      CudaStatus(cudaEventRecord(begin.get(), nullptr), "checking the link"));
  RETURN_IF_ERROR(CudaStatus(
      cudaMemcpyAsync(to.address(), from.address(), kBytes, kind, nullptr),
      "checking the link"));
  RETURN_IF_ERROR(
      CudaStatus(cudaEventRecord(end.get(), nullptr), "checking the link"));
  RETURN_IF_ERROR(end.Synchronize());
  float milliseconds = 0;
  RETURN_IF_ERROR(
      CudaStatus(cudaEventElapsedTime(&milliseconds, begin.get(), end.get()),
                 "checking the link"));
  return milliseconds > 0 ? kBytes / (1e-3 * milliseconds) : 0;
}

void Fill(absl::Span<char> bytes, int pass) {
  uint32_t state = 0x9e3779b9U + pass;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24);
  }
}

}  // namespace

absl::StatusOr<LinkRates> CheckLink() {
  ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> sent,
                   CreateCudaBuffer(MemorySpace::kHost, kBytes));
  ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> received,
                   CreateCudaBuffer(MemorySpace::kHost, kBytes));
  ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> there,
                   CreateCudaBuffer(MemorySpace::kDevice, kBytes));
  LinkRates best;
  for (int pass = 0; pass < kPasses; ++pass) {
    Fill(sent->host_bytes(), pass);
    ASSIGN_OR_RETURN(const double to_device,
                     TimeCopy(*there, *sent, cudaMemcpyHostToDevice));
    ASSIGN_OR_RETURN(const double from_device,
                     TimeCopy(*received, *there, cudaMemcpyDeviceToHost));
    if (!std::equal(sent->host_bytes().begin(), sent->host_bytes().end(),
                    received->host_bytes().begin())) {
      return absl::InternalError(
          "what was sent to the device and read back differs: its link or "
          "memory is damaged");
    }
    best.to_device = std::max(best.to_device, to_device);
    best.from_device = std::max(best.from_device, from_device);
  }
  return best;
}

}  // namespace hybridserve
