// One thread an element: grid ceil(n / kThreads) blocks of kThreads.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "kernels/cuda_probe/vector_add.h"

namespace hybridserve {
namespace {

constexpr int kThreads = 256;

__global__ void VectorAddKernel(const float* a, const float* b, float* sum,
                                int64_t n) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < n) sum[i] = a[i] + b[i];
}

absl::Status ToStatus(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return absl::OkStatus();
  const std::string message =
      std::string(call) + ": " + cudaGetErrorString(error);
  if (error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver) {
    return absl::UnavailableError(message);
  }
  return absl::InternalError(message);
}

struct CudaFree {
  void operator()(float* pointer) const { cudaFree(pointer); }
};
using DeviceArray = std::unique_ptr<float, CudaFree>;

// Allocates `n` floats in `array` and, where given, copies `host` there.
absl::Status Allocate(int64_t n, const float* host, DeviceArray& array) {
  void* pointer = nullptr;
  absl::Status status =
      ToStatus(cudaMalloc(&pointer, n * sizeof(float)), "cudaMalloc");
  if (!status.ok()) return status;
  array.reset(static_cast<float*>(pointer));
  if (host == nullptr) return absl::OkStatus();
  return ToStatus(
      cudaMemcpy(pointer, host, n * sizeof(float), cudaMemcpyHostToDevice),
      "cudaMemcpy to the device");
}

}  // namespace

absl::Status VectorAddCuda(absl::Span<const float> a, absl::Span<const float> b,
                           absl::Span<float> sum) {
  int devices = 0;
  absl::Status status =
      ToStatus(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
  const int64_t n = static_cast<int64_t>(sum.size());
  if (!status.ok() || n == 0) return status;  // An empty grid is an error.

  DeviceArray device_a, device_b, device_sum;
  status = Allocate(n, a.data(), device_a);
  if (status.ok()) status = Allocate(n, b.data(), device_b);
  if (status.ok()) status = Allocate(n, nullptr, device_sum);
  if (!status.ok()) return status;

  const unsigned int blocks =
      static_cast<unsigned int>((n + kThreads - 1) / kThreads);
  VectorAddKernel<<<blocks, kThreads>>>(device_a.get(), device_b.get(),
                                        device_sum.get(), n);
  status = ToStatus(cudaGetLastError(), "VectorAddKernel");
  if (!status.ok()) return status;
  return ToStatus(cudaMemcpy(sum.data(), device_sum.get(), n * sizeof(float),
                             cudaMemcpyDeviceToHost),
                  "cudaMemcpy to the host");
}

}  // namespace hybridserve
