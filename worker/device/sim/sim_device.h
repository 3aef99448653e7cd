#ifndef HYBRIDSERVE_WORKER_DEVICE_SIM_SIM_DEVICE_H_
#define HYBRIDSERVE_WORKER_DEVICE_SIM_SIM_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "common/work_profile.h"
#include "kernels/device/device.h"
#include "worker/device/sim/sim_clock.h"
#include "worker/device/sim/sim_stream.h"

namespace hybridserve {

struct SimDeviceOptions {
  std::string description;   // What is simulated, in words.
  WorkProfile profile;       // What each piece of work takes.
  int64_t memory_bytes = 0;  // Of the device.
  bool one_memory = false;   // That is the host's.
  OnSimPiece on_piece = {};  // May be empty.
};

// A device of a profile, without math and bytes: streams that only count time
// (DESIGN.md 5). The token that a row samples is a hash of its seed and
// position, never one of the first four ids, which are special on most models.
//
// `clock` is borrowed and outlives it. Thread-compatible.
std::unique_ptr<Device> CreateSimDevice(SimDeviceOptions options,
                                        SimClock& clock);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_SIM_SIM_DEVICE_H_
