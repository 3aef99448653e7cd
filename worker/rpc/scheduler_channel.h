#ifndef HYBRIDSERVE_WORKER_RPC_SCHEDULER_CHANNEL_H_
#define HYBRIDSERVE_WORKER_RPC_SCHEDULER_CHANNEL_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/security/tls_files.h"
#include "grpcpp/channel.h"

namespace hybridserve {

// Where a scheduler is, how to trust it and what to show to it.
struct SchedulerChannelOptions {
  std::string address;       // HOST:PORT, or what gRPC resolves.
  TlsFiles tls;              // Without a ca_file: in the clear.
  std::string api_key_file;  // Empty: no key is shown.
};

// A channel that dials at its first call, and shows at each dial what is in
// the files then. InvalidArgument names the flag.
absl::StatusOr<std::shared_ptr<grpc::Channel>> DialScheduler(
    const SchedulerChannelOptions& options);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_RPC_SCHEDULER_CHANNEL_H_
