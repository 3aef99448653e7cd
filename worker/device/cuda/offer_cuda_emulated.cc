// Whole programs on the emulated GPU. When they end, what it objected to is
// told, and makes them fail.

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <vector>

#include "tests/emulation/emulated_device.h"
#include "tests/emulation/fault_log.h"
#include "worker/device/cuda/cuda_device.h"
#include "worker/device/cuda/offer_cuda.h"
#include "worker/device/device_factory.h"

namespace hybridserve {
namespace {

constexpr int kExitFaults = 99;

void TellFaults() {
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
  emulation::EmulatedDevice::Get();  // Outlives what runs at exit.
  std::atexit(TellFaults);
  SetGpuOpener([](const GpuOptions& options) {
    return CreateCudaDevice({.ordinal = options.ordinal,
                             .batch_invariant = options.batch_invariant,
                             .cublas_libraries = {""}});
  });
}

}  // namespace hybridserve
