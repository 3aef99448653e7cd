#include "client/cli/generate_cli.h"

#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/backend.h"
#include "client/cli/failure.h"
#include "client/cli/generation_flags.h"
#include "client/cli/shared_flags.h"
#include "client/commands/generate_command.h"
#include "common/flag_error.h"
#include "common/status_macros.h"

ABSL_FLAG(std::optional<std::string>, prompt, std::nullopt,
          "generate: the text to go on from.");
ABSL_FLAG(std::string, token_ids, "",
          "generate: token ids to go on from instead: 1,2,3.");

namespace hybridserve {
namespace {

absl::StatusOr<std::vector<int32_t>> ReadTokenIds(const std::string& text) {
  std::vector<int32_t> ids;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    int32_t id = 0;
    if (!absl::SimpleAtoi(part, &id) || id < 0) {
      return WrongFlag("token_ids",
                       absl::StrCat("\"", part, "\" is no token id"));
    }
    ids.push_back(id);
  }
  return ids;
}

absl::StatusOr<GenerateCommandOptions> GenerateFromFlags() {
  GenerateCommandOptions options;
  ASSIGN_OR_RETURN(options.format, FormatFromFlags());
  ASSIGN_OR_RETURN(options.generation, GenerationFromFlags());
  const std::optional<std::string> prompt = absl::GetFlag(FLAGS_prompt);
  const std::string token_ids = absl::GetFlag(FLAGS_token_ids);
  if (prompt.has_value() != token_ids.empty()) {
    return absl::InvalidArgumentError(
        "generate needs one of --prompt and --token_ids");
  }
  options.generation.prompt = prompt;
  if (!prompt.has_value()) {
    ASSIGN_OR_RETURN(options.generation.token_ids, ReadTokenIds(token_ids));
  }
  return options;
}

}  // namespace

int GenerateMain(Interrupt& interrupt) {
  const auto options = GenerateFromFlags();
  if (!options.ok()) return Fail(kExitUsage, options.status());
  return RunOnBackend(true, [&](auto channel) {
    return RunGenerate(*options, std::move(channel), interrupt, std::cout);
  });
}

}  // namespace hybridserve
