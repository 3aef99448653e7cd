#ifndef HYBRIDSERVE_WORKER_DEVICE_DEVICE_FACTORY_H_
#define HYBRIDSERVE_WORKER_DEVICE_DEVICE_FACTORY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "kernels/device/device.h"
#include "worker/device/cpu_device.h"

namespace hybridserve {

// Makes the device that `--device` names: auto, cpu, cuda, cuda:N or
// sim:PROFILE. auto is the first GPU, or the cpu where there is none or a link
// is to be modelled; the log says which, and why. `cpu` holds the options of
// the cpu backend.
//
// InvalidArgument for any other name and for a modelled link to a GPU,
// FailedPrecondition for a backend that this program lacks, Unavailable for a
// GPU that is not there or can't be used.
absl::StatusOr<std::unique_ptr<Device>> CreateDevice(
    absl::string_view name, const CpuDeviceOptions& cpu);

// Opens the GPU of that number, as the driver counts them.
using GpuOpener = absl::StatusOr<std::unique_ptr<Device>> (*)(int ordinal);

// How CreateDevice() opens GPUs from now on. Programs say it once, first of all
// (worker/device/cuda/offer_cuda.h); those that don't have the cpu only.
// Thread-safe.
void SetGpuOpener(GpuOpener opener);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_DEVICE_FACTORY_H_
