#ifndef HYBRIDSERVE_CLIENT_DOCTOR_WORK_FACTS_H_
#define HYBRIDSERVE_CLIENT_DOCTOR_WORK_FACTS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "worker/worker_options.h"

namespace hybridserve {

// A model, as a worker with the same flags would take it.
struct ModelFacts {
  std::string folder;
  absl::Status status;  // OK: it can be read, and fits.
  std::string name;
  std::string dtype;  // Of computing.
  std::string device;
  bool pins_host_memory = false;
  int64_t host_bytes = 0;    // Of the plan.
  int64_t device_bytes = 0;  // Of the device's own memory; 0: it has none.
  int64_t cache_tokens = 0;  // That the cache holds as keys and values.
};

// Reads the folder's headers and plans, allocates nothing.
ModelFacts ReadModelFacts(const WorkerOptions& options);

// Where output would go.
struct DiskFacts {
  std::string folder;
  absl::Status status;     // OK: files can be made there.
  int64_t free_bytes = 0;  // For this user.
};

// Of the folder that `output_file` would be in; empty: the current one.
DiskFacts ReadDiskFacts(const std::string& output_file);

// A server, as `hybridserve health` sees it.
struct ServerFacts {
  std::string address;
  absl::Status status;  // Of the call.
  bool serving = false;
};

// Asks it; `channel` may be an error, which then is the status.
ServerFacts ReadServerFacts(
    const std::string& address,
    const absl::StatusOr<std::shared_ptr<grpc::Channel>>& channel,
    absl::Duration deadline);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_DOCTOR_WORK_FACTS_H_
