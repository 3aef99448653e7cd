#ifndef HYBRIDSERVE_SCHEDULER_RPC_SERVER_CREDENTIALS_H_
#define HYBRIDSERVE_SCHEDULER_RPC_SERVER_CREDENTIALS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/file_watcher.h"
#include "scheduler/scheduler_options.h"

namespace grpc {
class ServerCredentials;
}  // namespace grpc

namespace hybridserve {

// How the server of these options talks to clients. `watcher` reads TLS files
// again when they change, keeps those before where the new ones are bad (the
// log names file and reason), and outlives the server.
//
// FailedPrecondition if it would serve in the clear on an address that is not
// loopback and `insecure` is not set; InvalidArgument for half a TLS set-up
// and for files that can't be used. All name the flag.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const SchedulerServerOptions& options, FileWatcher& watcher);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_SERVER_CREDENTIALS_H_
