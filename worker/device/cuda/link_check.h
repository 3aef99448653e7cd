#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_LINK_CHECK_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_LINK_CHECK_H_

#include "absl/status/statusor.h"

namespace hybridserve {

// Bytes a second between pinned memory of the host and the device.
struct LinkRates {
  double to_device = 0;
  double from_device = 0;
};

// Sends a pattern to the current device and back, and compares: a few
// milliseconds. Internal if what comes back differs; the runtime's errors.
absl::StatusOr<LinkRates> CheckLink();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_LINK_CHECK_H_
