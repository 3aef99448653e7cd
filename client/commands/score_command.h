#ifndef HYBRIDSERVE_CLIENT_COMMANDS_SCORE_COMMAND_H_
#define HYBRIDSERVE_CLIENT_COMMANDS_SCORE_COMMAND_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "client/commands/command.h"
#include "grpcpp/channel.h"

namespace hybridserve {

struct ScoreCommandOptions {
  std::string input;  // UTF-8 text, up to 16 MiB.
  std::string model;  // Empty: the server's only one.
  // Tokens of a window; unset: min(the model's limit, 2048) - 1.
  std::optional<int64_t> window;
  OutputFormat format = OutputFormat::kText;
};

// `hybridserve score`: how well the model predicts a text. The file is
// tokenized as one text without special tokens and cut into consecutive
// windows, each prefixed with the model's bos (eos if it has none); every token
// is scored given those before it in its window.
absl::Status RunScore(const ScoreCommandOptions& options,
                      std::shared_ptr<grpc::Channel> channel,
                      std::ostream& out);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_COMMANDS_SCORE_COMMAND_H_
