// Whole programs on the emulated GPU. When they end, what it objected to is
// told, and makes them fail. In the environment: HYBRIDSERVE_EMULATED_PINNING
// is "none" for a driver that pins no memory, HYBRIDSERVE_EMULATED_BROKEN_BY a
// file from whose being there on the device fails.

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/emulation/emulated_device.h"
#include "tests/emulation/fault_log.h"
#include "worker/device/cuda/cuda_device.h"
#include "worker/device/cuda/offer_cuda.h"
#include "worker/device/device_factory.h"

namespace hybridserve {
namespace {

constexpr int kExitFaults = 99;

void TellFaults() {
  // A broken device takes nothing back.
  if (emulation::EmulatedDevice::Get().broken()) return;
  emulation::EmulatedDevice::Get().ReportLeaks();
  const std::vector<emulation::Fault> faults = emulation::TakeFaults();
  for (const emulation::Fault& fault : faults) {
    std::cerr << "emulated GPU: " << fault << std::endl;
  }
  for (const auto& [kernel, runs] :
       emulation::EmulatedDevice::Get().kernel_runs()) {
    std::cerr << "emulated GPU: " << kernel << " ran " << runs.launches
              << " times" << std::endl;
  }
  if (!faults.empty()) _exit(kExitFaults);
}

}  // namespace

void OfferCuda() {
  auto& device = emulation::EmulatedDevice::Get();  // Outlives exits' work.
  std::atexit(TellFaults);
  emulation::EmulatedMachine machine;
  const char* const pinning = std::getenv("HYBRIDSERVE_EMULATED_PINNING");
  if (pinning != nullptr && absl::string_view(pinning) == "none") {
    machine = emulation::EmulatedMachine::ThatPinsNothing();
  }
  const char* const breaks = std::getenv("HYBRIDSERVE_EMULATED_BROKEN_BY");
  if (breaks != nullptr) machine.broken_by = breaks;
  device.SetMachine(machine);
  SetGpuOpener([](const GpuOptions& options) {
    return CreateCudaDevice({.ordinal = options.ordinal,
                             .batch_invariant = options.batch_invariant,
                             .cublas_libraries = {""}});
  });
}

}  // namespace hybridserve
