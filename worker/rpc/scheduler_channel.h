#ifndef HYBRIDSERVE_WORKER_RPC_SCHEDULER_CHANNEL_H_
#define HYBRIDSERVE_WORKER_RPC_SCHEDULER_CHANNEL_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"

namespace hybridserve {

// Where a scheduler is and how to trust it; the PEM files by name.
struct SchedulerChannelOptions {
  std::string address;  // HOST:PORT, or what gRPC resolves.
  std::string ca_file;  // Empty: the connection is in the clear.
  // This worker's own; both or neither, and only with a ca_file.
  std::string certificate_file;
  std::string key_file;
};

// A channel that dials at its first call. InvalidArgument names the flag.
absl::StatusOr<std::shared_ptr<grpc::Channel>> DialScheduler(
    const SchedulerChannelOptions& options);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_RPC_SCHEDULER_CHANNEL_H_
