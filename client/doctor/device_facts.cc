#include "client/doctor/device_facts.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/dtype.h"
#include "common/status_macros.h"
#include "kernels/cpu_isa.h"
#include "kernels/cpu_linear.h"
#include "kernels/device/buffer.h"
#include "worker/device/cuda/cublas_names.h"
#include "worker/device/device_factory.h"

namespace hybridserve {
namespace {

constexpr char kDriverLibrary[] = "libcuda.so.1";
constexpr int64_t kLinkBytes = int64_t{32} << 20;
constexpr int kLinkPasses = 4;  // The first warms up.

// Of the driver's interface, which is part of no package that builds need.
struct DriverFunctions {
  int (*init)(unsigned flags) = nullptr;
  int (*version)(int* version) = nullptr;
  int (*count)(int* devices) = nullptr;
  int (*error)(int code, const char** text) = nullptr;
};

template <typename Function>
void Find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
}

absl::Status ReadDriver(CudaFacts& facts) {
  // Never closed: it leaves threads behind.
  void* const library = dlopen(kDriverLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::NotFoundError(
        absl::StrCat(kDriverLibrary, " can't be opened: ", dlerror()));
  }
  DriverFunctions driver;
  Find(library, "cuInit", driver.init);
  Find(library, "cuDriverGetVersion", driver.version);
  Find(library, "cuDeviceGetCount", driver.count);
  Find(library, "cuGetErrorString", driver.error);
  if (driver.init == nullptr || driver.version == nullptr ||
      driver.count == nullptr || driver.error == nullptr) {
    return absl::InternalError(
        absl::StrCat(kDriverLibrary, " lacks a function"));
  }
  if (int version = 0; driver.version(&version) == 0) {
    facts.driver_cuda_version =
        absl::StrCat(version / 1000, ".", version % 1000 / 10);
  }
  int code = driver.init(0);
  if (code == 0) code = driver.count(&facts.devices);
  if (code == 0) return absl::OkStatus();
  const char* text = nullptr;
  return absl::UnavailableError(
      driver.error(code, &text) == 0 && text != nullptr
          ? absl::StrCat("the driver says: ", text)
          : absl::StrCat("the driver's error ", code));
}

std::string FindCublas() {
  for (const std::string& name : CublasLibraryNames()) {
    // Never closed: that would lose what its own C++ runtime has allocated.
    if (dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL) != nullptr) return name;
  }
  return "";
}

void Fill(absl::Span<char> bytes, uint32_t seed) {
  uint32_t state = 0x9e3779b9U + seed;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24);
  }
}

// Bytes a second.
absl::StatusOr<double> TimeCopy(Stream& stream, const Buffer& to,
                                const Buffer& from) {
  const CopyRun run = {.dst = {&to, 0, kLinkBytes},
                       .src = {&from, 0, kLinkBytes}};
  const absl::Time begin = absl::Now();
  RETURN_IF_ERROR(stream.Copy(absl::MakeConstSpan(&run, 1)));
  RETURN_IF_ERROR(stream.Synchronize());
  return static_cast<double>(kLinkBytes) /
         std::max(1e-9, absl::ToDoubleSeconds(absl::Now() - begin));
}

absl::Status Measure(Device& device, LinkFacts& facts) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> sent,
                   device.Allocate(MemorySpace::kHost, kLinkBytes));
  ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> received,
                   device.Allocate(MemorySpace::kHost, kLinkBytes));
  ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> there,
                   device.Allocate(MemorySpace::kDevice, kLinkBytes));
  const std::unique_ptr<Stream> in = device.CreateStream(StreamKind::kCopyIn);
  const std::unique_ptr<Stream> out = device.CreateStream(StreamKind::kCopyOut);
  for (int pass = 0; pass < kLinkPasses; ++pass) {
    Fill(sent->host_bytes(), pass);
    ASSIGN_OR_RETURN(const double to_device, TimeCopy(*in, *there, *sent));
    ASSIGN_OR_RETURN(const double from_device,
                     TimeCopy(*out, *received, *there));
    if (!std::equal(sent->host_bytes().begin(), sent->host_bytes().end(),
                    received->host_bytes().begin())) {
      return absl::DataLossError("what was sent and read back differs");
    }
    if (pass == 0) continue;
    facts.to_device_bytes_per_s =
        std::max(facts.to_device_bytes_per_s, to_device);
    facts.from_device_bytes_per_s =
        std::max(facts.from_device_bytes_per_s, from_device);
  }
  return absl::OkStatus();
}

}  // namespace

CpuPath ReadCpuPath() {
  CpuPath path = {.isa = CpuIsa()};
  const CpuLinear linear;
  for (const CpuLinear::Choice& choice : linear.choices()) {
    path.products.push_back({.dtype = absl::StrCat(Name(choice.dtype)),
                             .kernel = choice.kernel,
                             .refusal = std::string{choice.refusal.message()}});
  }
  return path;
}

CudaFacts ReadCudaFacts() {
  CudaFacts facts;
  facts.driver = ReadDriver(facts);
  facts.cublas = FindCublas();
  const auto device = CreateDevice("cuda", {});
  facts.device = device.status();
  if (device.ok()) facts.device_description = (*device)->info().description;
  return facts;
}

LinkFacts MeasureLink(const std::string& name, Device& device) {
  LinkFacts facts = {.name = name};
  facts.status = Measure(device, facts);
  return facts;
}

}  // namespace hybridserve
