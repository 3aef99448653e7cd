#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/doctor/findings.h"

namespace hybridserve {
namespace {

// Less than any x16 link of a GPU that is supported, or memory of its host.
constexpr double kSlowBytesPerSecond = 3e9;

Finding Make(absl::string_view check, Severity severity, std::string what,
             std::string advice = "") {
  return {std::string{check}, severity, std::move(what), std::move(advice)};
}

Finding Isa(const CpuPath& cpu) {
  std::string what = cpu.isa;
  for (const CpuPath::Product& product : cpu.products) {
    absl::StrAppend(&what, "; ", product.dtype, ": ");
    if (product.refusal.empty()) {
      absl::StrAppend(&what, product.kernel,
                      ", whose results passed the bitwise probe");
    } else {
      absl::StrAppend(&what, product.kernel, " kernel, as oneDNN is refused (",
                      product.refusal, ")");
    }
  }
  if (cpu.isa != "scalar") return Make("cpu kernels", Severity::kOk, what);
  return Make("cpu kernels", Severity::kWarning, what,
              "use a machine with AVX2: on this one the cpu device is right, "
              "but many times slower");
}

bool WantsCuda(const DoctorFacts& facts) {
  return absl::StartsWith(facts.device, "cuda");
}

bool HasGpu(const DoctorFacts& facts) {
  return !facts.host.gpus.empty() || facts.cuda.devices > 0;
}

// What is in the way of a GPU is a problem where there is one or one is asked
// for, and else of no consequence.
Severity Blocking(const DoctorFacts& facts) {
  return WantsCuda(facts) || HasGpu(facts) ? Severity::kProblem : Severity::kOk;
}

Finding Blocked(const DoctorFacts& facts, absl::string_view check,
                std::string what, std::string advice) {
  const Severity severity = Blocking(facts);
  return Make(check, severity, std::move(what),
              severity == Severity::kOk ? "" : std::move(advice));
}

Finding Driver(const DoctorFacts& facts) {
  constexpr absl::string_view kCheck = "cuda driver";
  const CudaFacts& cuda = facts.cuda;
  const std::string kernel =
      facts.host.nvidia_driver_version.empty()
          ? ""
          : absl::StrCat("; kernel module ", facts.host.nvidia_driver_version);
  if (cuda.driver.ok()) {
    return Make(kCheck, Severity::kOk,
                absl::StrCat("for CUDA ", cuda.driver_cuda_version, ", ",
                             cuda.devices, " devices", kernel));
  }
  std::string what{cuda.driver.message()};
  absl::StrAppend(&what,
                  facts.host.gpus.empty()
                      ? "; no NVIDIA GPU on the PCI bus"
                      : absl::StrCat("; GPU ", facts.host.gpus.front().address,
                                     " is on the PCI bus"),
                  kernel);
  return Blocked(
      facts, kCheck, std::move(what),
      absl::IsNotFound(cuda.driver)
          ? "install NVIDIA's driver; in a container, start it with the GPU "
            "(nvidia-container-toolkit, --gpus)"
          : "see `nvidia-smi` and the kernel's log; in a container, pass the "
            "GPU's device files in");
}

Finding Cublas(const DoctorFacts& facts) {
  constexpr absl::string_view kCheck = "cublas";
  if (!facts.cuda.cublas.empty()) {
    return Make(kCheck, Severity::kOk, facts.cuda.cublas);
  }
  return Blocked(facts, kCheck, "no libcublas can be opened",
                 "install the CUDA libraries (libcublas 12 or 13) or set "
                 "LD_LIBRARY_PATH to their folder");
}

Finding CudaDevice(const DoctorFacts& facts) {
  constexpr absl::string_view kCheck = "cuda device";
  const CudaFacts& cuda = facts.cuda;
  if (cuda.device.ok()) {
    return Make(kCheck, Severity::kOk, cuda.device_description);
  }
  return Blocked(facts, kCheck, std::string{cuda.device.message()},
                 absl::IsFailedPrecondition(cuda.device)
                     ? "build with the CUDA toolkit in $CUDA_HOME, or give "
                       "--device=cpu to do without the GPU"
                     : "mend what the findings above name, or give "
                       "--device=cpu to do without the GPU");
}

// One for each GPU.
std::vector<Finding> Lanes(const HostFacts& host) {
  std::vector<Finding> findings;
  for (const PciGpu& gpu : host.gpus) {
    if (!gpu.lanes.has_value() || !gpu.max_lanes.has_value()) continue;
    std::string what = absl::StrCat(gpu.address, ": ", *gpu.lanes, " of ",
                                    *gpu.max_lanes, " PCIe lanes");
    if (*gpu.lanes >= *gpu.max_lanes) {
      findings.push_back(Make("gpu lanes", Severity::kOk, std::move(what)));
    } else {
      findings.push_back(
          Make("gpu lanes", Severity::kWarning, std::move(what),
               "put the GPU into a slot with all lanes, or set the slot up so: "
               "the link is what a streamed model waits for"));
    }
  }
  return findings;
}

Finding Link(const LinkFacts& link) {
  constexpr absl::string_view kCheck = "link";
  if (!link.status.ok()) {
    return Make(kCheck, Severity::kProblem,
                absl::StrCat(link.name, ": ", link.status.message()),
                absl::IsDataLoss(link.status)
                    ? "do not use this machine: its memory or link is damaged"
                    : "free memory, or see the findings above");
  }
  std::string what = absl::StrFormat(
      "%s: %.3g GB/s to the device, %.3g GB/s back", link.name,
      link.to_device_bytes_per_s / 1e9, link.from_device_bytes_per_s / 1e9);
  if (link.to_device_bytes_per_s >= kSlowBytesPerSecond) {
    return Make(kCheck, Severity::kOk, std::move(what));
  }
  return Make(kCheck, Severity::kWarning, std::move(what),
              "see whether other programs use memory or link, and NUMA nodes "
              "and lanes above: steps take as long as the weights' way");
}

}  // namespace

std::vector<Finding> DiagnoseDevices(const DoctorFacts& facts) {
  std::vector<Finding> findings = {Isa(facts.cpu), Driver(facts), Cublas(facts),
                                   CudaDevice(facts)};
  const std::vector<Finding> lanes = Lanes(facts.host);
  findings.insert(findings.end(), lanes.begin(), lanes.end());
  for (const LinkFacts& link : facts.links) findings.push_back(Link(link));
  return findings;
}

}  // namespace hybridserve
