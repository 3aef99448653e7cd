#ifndef HYBRIDSERVE_CLIENT_COMMANDS_INSPECT_COMMANDS_H_
#define HYBRIDSERVE_CLIENT_COMMANDS_INSPECT_COMMANDS_H_

#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "client/commands/command.h"
#include "grpcpp/channel.h"

namespace hybridserve {

// `hybridserve status`: queue, workers, what their steps did.
absl::Status RunStatus(OutputFormat format, bool show_profile,
                       std::shared_ptr<grpc::Channel> channel,
                       std::ostream& out);

// `hybridserve models`: names, shapes, limits.
absl::Status RunModels(OutputFormat format,
                       std::shared_ptr<grpc::Channel> channel,
                       std::ostream& out);

// `hybridserve health`: OK when `service` ("" for the server as a whole) is
// serving; Unavailable when it is not; the call's error otherwise.
absl::Status RunHealth(const std::string& service,
                       std::shared_ptr<grpc::Channel> channel,
                       std::ostream& out);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_COMMANDS_INSPECT_COMMANDS_H_
