#include "worker/device/device_factory.h"

#include <atomic>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

std::atomic<GpuOpener> gpu_opener = nullptr;

// N of "cuda:N", 0 of "cuda".
std::optional<int> CudaOrdinal(absl::string_view name) {
  if (name == "cuda") return 0;
  int ordinal;
  if (absl::ConsumePrefix(&name, "cuda:") && absl::SimpleAtoi(name, &ordinal) &&
      ordinal >= 0) {
    return ordinal;
  }
  return std::nullopt;
}

absl::StatusOr<std::unique_ptr<Device>> OpenCuda(const GpuOptions& options) {
  if (const GpuOpener open = gpu_opener; open != nullptr) return open(options);
  return absl::FailedPreconditionError(
      absl::StrCat("device=cuda:", options.ordinal,
                   ": this program was built without CUDA"));
}

absl::StatusOr<std::unique_ptr<Device>> ChooseDevice(
    const DeviceOptions& options) {
  if (options.cpu.link_bytes_per_second > 0) {
    LOG(INFO) << "device=auto: cpu, for the link that is to be modelled";
    return CreateCpuDevice(options.cpu);
  }
  auto cuda = OpenCuda(options.gpu);
  if (cuda.ok()) {
    LOG(INFO) << "device=auto: " << (*cuda)->info().description;
    return cuda;
  }
  LOG(INFO) << "device=auto: cpu; " << cuda.status().message();
  return CreateCpuDevice(options.cpu);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Device>> CreateDevice(
    absl::string_view name, const DeviceOptions& options) {
  if (name == "auto") return ChooseDevice(options);
  if (name == "cpu") return CreateCpuDevice(options.cpu);
  if (const std::optional<int> ordinal = CudaOrdinal(name)) {
    if (options.cpu.link_bytes_per_second > 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--link_bandwidth: models a link on the cpu device; --device=", name,
          " has its own"));
    }
    GpuOptions gpu = options.gpu;
    gpu.ordinal = *ordinal;
    return OpenCuda(gpu);
  }
  if (absl::StartsWith(name, "sim:") && name.size() > 4) {
    return absl::FailedPreconditionError(absl::StrCat(
        "device=", name, ": the sim backend is not built yet; use cpu"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--device: \"", name,
                   "\" is none of auto, cpu, cuda, cuda:N and sim:PROFILE"));
}

void SetGpuOpener(GpuOpener opener) { gpu_opener = opener; }

}  // namespace hybridserve
