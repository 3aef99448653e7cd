#ifndef HYBRIDSERVE_WORKER_DEVICE_CPU_DEVICE_H_
#define HYBRIDSERVE_WORKER_DEVICE_CPU_DEVICE_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "kernels/device/device.h"

namespace hybridserve {

struct CpuDeviceOptions {
  // Threads that share out the work of one op. 0: one for each core that the
  // process may use. Results do not depend on it.
  int threads = 0;
  // Bytes of device memory. Given, host and device are separate memories.
  std::optional<int64_t> device_memory_bytes;
  // Bandwidth of the modelled link, each direction on its own, bytes/s.
  // Given (not 0), host and device are separate memories and copies between
  // them on the copy streams take bytes / bandwidth of wall-clock time.
  double link_bytes_per_second = 0;
};

// The cpu backend: streams are threads, kernels are our own. A modelled
// accelerator behind a link if the options say so.
//
// InvalidArgument for negative options.
absl::StatusOr<std::unique_ptr<Device>> CreateCpuDevice(
    const CpuDeviceOptions& options);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CPU_DEVICE_H_
