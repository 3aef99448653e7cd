#include "client/cli/command_table.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "client/cli/batch_cli.h"
#include "client/cli/bench_cli.h"
#include "client/cli/generate_cli.h"
#include "client/cli/inspect_cli.h"
#include "client/cli/plan_cli.h"
#include "client/cli/score_cli.h"
#include "client/cli/top_cli.h"

namespace hybridserve {
namespace {

constexpr Command kCommands[] = {
    {"generate", "text from one prompt, streamed", GenerateMain},
    {"batch",
     "a file of requests (JSON lines) to a file of results; can be\n"
     "killed at any point and run again",
     BatchMain},
    {"score", "how well the model predicts a text: its perplexity", ScoreMain},
    {"bench", "how fast it is, policy against policy; charts and JSON",
     BenchMain},
    {"plan",
     "how fast it would be, policy by policy, and why; nothing is\n"
     "generated                          (--model_dir only)",
     PlanMain},
    {"status", "queue, workers, what they did      (--server only)",
     StatusMain},
    {"top", "the same, live, and at what rates  (--server only)", TopMain},
    {"health", "exits 0 when the server is serving (--server only)",
     HealthMain},
    {"models", "names, shapes, limits", ModelsMain},
};

constexpr char kUsage[] =
    R"(hybridserve: text from language models larger than the accelerator.

  hybridserve generate --model_dir=DIR --prompt=TEXT
      Load a model and generate, all in this process.
  hybridserve generate --server=HOST:PORT --prompt=TEXT
      The same through a scheduler.

Commands (each takes --server=HOST:PORT or --model_dir=DIR):
)";

}  // namespace

absl::Span<const Command> Commands() { return kCommands; }

const Command* FindCommand(absl::string_view name) {
  for (const Command& command : kCommands) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

std::string CommandUsage() {
  std::string usage = kUsage;
  for (const Command& command : kCommands) {
    const std::string help =
        absl::StrReplaceAll(command.help, {{"\n", "\n             "}});
    absl::StrAppendFormat(&usage, "  %-10s %s\n", command.name, help);
  }
  return usage;
}

}  // namespace hybridserve
