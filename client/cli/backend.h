#ifndef HYBRIDSERVE_CLIENT_CLI_BACKEND_H_
#define HYBRIDSERVE_CLIENT_CLI_BACKEND_H_

#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/embedded_server.h"
#include "grpcpp/channel.h"

namespace hybridserve {

// True if --server is given.
bool HasServerFlag();

// Where the requests go: a server, or one inside this process.
// Thread-compatible.
class Backend {
 public:
  // InvalidArgument: the flags are wrong.
  static absl::Status CheckFlags(bool takes_embedded);

  // What the flags name. It does not outlive this.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Open();

 private:
  std::unique_ptr<EmbeddedServer> embedded_;
};

// Opens the backend and runs `command` on its channel. Returns the exit code;
// says what went wrong.
int RunOnBackend(
    bool takes_embedded,
    absl::FunctionRef<absl::Status(std::shared_ptr<grpc::Channel>)> command);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CLI_BACKEND_H_
