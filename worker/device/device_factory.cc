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

absl::StatusOr<std::unique_ptr<Device>> OpenCuda(int ordinal) {
  if (const GpuOpener open = gpu_opener; open != nullptr) return open(ordinal);
  return absl::FailedPreconditionError(absl::StrCat(
      "device=cuda:", ordinal, ": this program was built without CUDA"));
}

absl::StatusOr<std::unique_ptr<Device>> ChooseDevice(
    const CpuDeviceOptions& cpu) {
  if (cpu.link_bytes_per_second > 0) {
    LOG(INFO) << "device=auto: cpu, for the link that is to be modelled";
    return CreateCpuDevice(cpu);
  }
  auto cuda = OpenCuda(0);
  if (cuda.ok()) {
    LOG(INFO) << "device=auto: " << (*cuda)->info().description;
    return cuda;
  }
  LOG(INFO) << "device=auto: cpu; " << cuda.status().message();
  return CreateCpuDevice(cpu);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Device>> CreateDevice(
    absl::string_view name, const CpuDeviceOptions& cpu) {
  if (name == "auto") return ChooseDevice(cpu);
  if (name == "cpu") return CreateCpuDevice(cpu);
  if (const std::optional<int> ordinal = CudaOrdinal(name)) {
    if (cpu.link_bytes_per_second > 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--link_bandwidth: models a link on the cpu device; --device=", name,
          " has its own"));
    }
    return OpenCuda(*ordinal);
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
