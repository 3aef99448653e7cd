#include "worker/device/device_factory.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

// "cuda" or "cuda:N".
bool NamesCuda(absl::string_view name) {
  if (name == "cuda") return true;
  int ordinal;
  return absl::ConsumePrefix(&name, "cuda:") &&
         absl::SimpleAtoi(name, &ordinal) && ordinal >= 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Device>> CreateDevice(
    absl::string_view name, const CpuDeviceOptions& cpu) {
  if (name == "auto") {
    LOG(INFO) << "device=auto: cpu, this build has no other backend";
    return CreateCpuDevice(cpu);
  }
  if (name == "cpu") return CreateCpuDevice(cpu);
  const bool is_sim = absl::StartsWith(name, "sim:") && name.size() > 4;
  if (NamesCuda(name) || is_sim) {
    return absl::FailedPreconditionError(
        absl::StrCat("device=", name, ": the ", is_sim ? "sim" : "cuda",
                     " backend is not built yet; use cpu"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--device: \"", name,
                   "\" is none of auto, cpu, cuda, cuda:N and sim:PROFILE"));
}

}  // namespace hybridserve
