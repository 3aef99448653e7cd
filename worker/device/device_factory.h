#ifndef HYBRIDSERVE_WORKER_DEVICE_DEVICE_FACTORY_H_
#define HYBRIDSERVE_WORKER_DEVICE_DEVICE_FACTORY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "kernels/device/device.h"
#include "worker/device/cpu_device.h"

namespace hybridserve {

struct GpuOptions {
  int ordinal = 0;  // As the driver counts devices.
  // A row of a result has the same bits in any company (DESIGN.md 4), at the
  // price of slower products.
  bool batch_invariant = false;
};

struct DeviceOptions {
  CpuDeviceOptions cpu;
  GpuOptions gpu;  // Less its number.
};

// Makes the device that `--device` names: auto, cpu, cuda, cuda:N or
// sim:PROFILE. auto is the first GPU, or the cpu where there is none or a link
// is to be modelled; the log says which, and why.
//
// InvalidArgument for any other name and for a modelled link to a GPU,
// FailedPrecondition for a backend that this program lacks, Unavailable for a
// GPU that is not there or can't be used.
absl::StatusOr<std::unique_ptr<Device>> CreateDevice(
    absl::string_view name, const DeviceOptions& options);

using GpuOpener =
    absl::StatusOr<std::unique_ptr<Device>> (*)(const GpuOptions& options);

// How CreateDevice() opens GPUs from now on. Programs say it once, first of all
// (worker/device/cuda/offer_cuda.h); those that don't have the cpu only.
// Thread-safe.
void SetGpuOpener(GpuOpener opener);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_DEVICE_FACTORY_H_
