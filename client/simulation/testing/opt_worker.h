#ifndef HYBRIDSERVE_CLIENT_SIMULATION_TESTING_OPT_WORKER_H_
#define HYBRIDSERVE_CLIENT_SIMULATION_TESTING_OPT_WORKER_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "common/work_profile.h"
#include "worker/simulated_worker.h"

namespace hybridserve {

// A device and a model for tests on virtual clocks.
struct OptDevice {
  int64_t hidden = 7168;  // OPT-30B's.
  int64_t layers = 4;     // A few of them.
  double link_bytes_per_second = 24e9;
  double flops_per_second = 60e12;
  double memory_bytes_per_second = 1e12;
  absl::Duration fixed = absl::Microseconds(10);  // Of each piece.
};

// config.json of an OPT model of that width: heads of 128, a small vocabulary.
std::string OptConfigJson(const OptDevice& device);

// What its pieces take at those rates, at two bytes an element.
WorkProfile OptProfile(const OptDevice& device);

// A worker of that device with 1 GiB of staging and a host that holds any
// cache. The caller sets the rest.
SimulatedWorkerOptions OptWorker(const OptDevice& device);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_SIMULATION_TESTING_OPT_WORKER_H_
