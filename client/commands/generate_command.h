#ifndef HYBRIDSERVE_CLIENT_COMMANDS_GENERATE_COMMAND_H_
#define HYBRIDSERVE_CLIENT_COMMANDS_GENERATE_COMMAND_H_

#include <memory>
#include <ostream>

#include "absl/status/status.h"
#include "client/commands/command.h"
#include "client/generation_options.h"
#include "client/interrupt.h"
#include "grpcpp/channel.h"

namespace hybridserve {

struct GenerateCommandOptions {
  GenerationOptions generation;
  OutputFormat format = OutputFormat::kText;
};

// `hybridserve generate`: streams the text of one request to `out` as it
// comes, or prints one JSON object at the end. Ctrl-C cancels the call, which
// stops the work on the server; what was produced until then is shown.
//
// The call's error, with gRPC's code; Cancelled after Ctrl-C.
absl::Status RunGenerate(const GenerateCommandOptions& options,
                         std::shared_ptr<grpc::Channel> channel,
                         Interrupt& interrupt, std::ostream& out);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_COMMANDS_GENERATE_COMMAND_H_
