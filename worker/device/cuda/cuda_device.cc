#include "worker/device/cuda/cuda_device.h"

#include <cuda_runtime_api.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "kernels/cuda/status.h"
#include "worker/device/cuda/cuda_buffer.h"
#include "worker/device/cuda/cuda_event.h"
#include "worker/device/cuda/cuda_ops.h"
#include "worker/device/cuda/cuda_stream.h"
#include "worker/device/cuda/link_check.h"
#include "worker/device/cuda/numa_node.h"

namespace hybridserve {
namespace {

// The least that kernels are compiled for (kernels/cuda/cuda.bzl).
constexpr int kMinComputeMajor = 8;

// "cuda:0", for errors.
std::string DeviceName(int ordinal) { return absl::StrCat("cuda:", ordinal); }

// Each thread of the host has a current device.
void MakeCurrent(int ordinal) {
  const cudaError_t error = cudaSetDevice(ordinal);
  CHECK_EQ(error, cudaSuccess) << cudaGetErrorString(error);
}

class CudaDevice final : public Device {
 public:
  CudaDevice(int ordinal, std::optional<int> numa_node, DeviceInfo info,
             std::unique_ptr<CudaOps> ops)
      : ordinal_(ordinal),
        numa_node_(numa_node),
        info_(std::move(info)),
        ops_(std::move(ops)) {}

  const DeviceInfo& info() const override { return info_; }
  absl::StatusOr<std::unique_ptr<Buffer>> Allocate(MemorySpace space,
                                                   int64_t bytes) override {
    MakeCurrent(ordinal_);
    const PreferredNumaNode preferred(numa_node_);
    return CreateCudaBuffer(space, bytes);
  }
  std::unique_ptr<Stream> CreateStream(StreamKind kind) override {
    MakeCurrent(ordinal_);
    return std::make_unique<CudaStream>(kind, ordinal_);
  }
  std::unique_ptr<Event> CreateEvent() override {
    MakeCurrent(ordinal_);
    return std::make_unique<CudaEvent>();
  }
  Ops& ops() override { return *ops_; }
  const WeightLayout& weight_layout() const override {
    return ops_->weight_layout();
  }

 private:
  const int ordinal_;
  const std::optional<int> numa_node_;  // The device's, for host memory.
  const DeviceInfo info_;
  const std::unique_ptr<CudaOps> ops_;
};

absl::Status CheckOrdinal(int ordinal) {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (error != cudaSuccess) (void)cudaGetLastError();
  RETURN_IF_ERROR(
      CudaStatus(error, absl::StrCat("device=", DeviceName(ordinal))));
  if (ordinal >= 0 && ordinal < devices) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "device=", DeviceName(ordinal), ": there are ", devices, " devices"));
}

absl::Status ReportLink(int ordinal) {
  ASSIGN_OR_RETURN(const LinkRates rates, CheckLink());
  LOG(INFO) << DeviceName(ordinal)
            << ": link_to_device_bytes_per_s=" << rates.to_device
            << " link_from_device_bytes_per_s=" << rates.from_device;
  return absl::OkStatus();
}

std::optional<int> NumaNodeOfDevice(int ordinal) {
  char bus_id[32] = "";
  if (cudaDeviceGetPCIBusId(bus_id, sizeof(bus_id), ordinal) != cudaSuccess) {
    (void)cudaGetLastError();
    return std::nullopt;
  }
  const std::optional<int> node = NumaNodeOf(bus_id);
  LOG_IF(INFO, node.has_value())
      << DeviceName(ordinal) << ": host memory is taken from NUMA node "
      << *node;
  return node;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Device>> CreateCudaDevice(
    const CudaDeviceOptions& options) {
  RETURN_IF_ERROR(CheckOrdinal(options.ordinal));
  RETURN_IF_ERROR(CudaStatus(cudaSetDevice(options.ordinal), "cudaSetDevice"));
  cudaDeviceProp properties;
  RETURN_IF_ERROR(
      CudaStatus(cudaGetDeviceProperties(&properties, options.ordinal),
                 "cudaGetDeviceProperties"));
  if (properties.major < kMinComputeMajor) {
    return absl::UnavailableError(absl::StrCat(
        "device=", DeviceName(options.ordinal), ": ", properties.name,
        " has compute capability ", properties.major, ".", properties.minor,
        "; at least ", kMinComputeMajor, ".0 is needed"));
  }
  ASSIGN_OR_RETURN(
      std::unique_ptr<CudaOps> ops,
      CudaOps::Create({.cublas_libraries = options.cublas_libraries,
                       .batch_invariant = options.batch_invariant}));
  RETURN_IF_ERROR(ReportLink(options.ordinal));
  size_t free_bytes = 0;
  size_t total_bytes = 0;
  RETURN_IF_ERROR(
      CudaStatus(cudaMemGetInfo(&free_bytes, &total_bytes), "cudaMemGetInfo"));
  DeviceInfo info;
  info.backend = "cuda";
  // What cuBLAS's order of adding depends on: the same bits come of the same
  // library on the same architecture with as many multiprocessors.
  info.isa = absl::StrCat("sm_", properties.major, properties.minor, " x",
                          properties.multiProcessorCount, " cublas ",
                          ops->library_version(),
                          options.batch_invariant ? " batch_invariant" : "");
  info.description = absl::StrCat(DeviceName(options.ordinal), ", ",
                                  properties.name, ", ", info.isa);
  info.reserved_bytes = ops->reserved_bytes();
  info.memory_bytes = static_cast<int64_t>(free_bytes) + info.reserved_bytes;
  info.one_memory = false;
  return std::make_unique<CudaDevice>(options.ordinal,
                                      NumaNodeOfDevice(options.ordinal),
                                      std::move(info), std::move(ops));
}

}  // namespace hybridserve
