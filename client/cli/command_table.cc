#include "client/cli/command_table.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/cli/batch_cli.h"
#include "client/cli/bench_cli.h"
#include "client/cli/completion_cli.h"
#include "client/cli/doctor_cli.h"
#include "client/cli/generate_cli.h"
#include "client/cli/inspect_cli.h"
#include "client/cli/plan_cli.h"
#include "client/cli/score_cli.h"
#include "client/cli/top_cli.h"

namespace hybridserve {
namespace {

using Names = absl::string_view[];

constexpr Names kGenerateFlags = {"client/cli/generate_cli.cc",
                                  "client/cli/generation_flags.cc", "--model",
                                  "--output", "--seed"};
constexpr Names kBatchFlags = {"client/cli/batch_cli.cc",
                               "client/cli/generation_flags.cc",
                               "--input",
                               "--model",
                               "--seed",
                               "--window"};
constexpr Names kScoreFlags = {"--input", "--model", "--output", "--window"};
constexpr Names kBenchFlags = {"client/bench/bench_flags.cc", "--model",
                               "--seed"};
constexpr Names kPlanFlags = {"client/bench/bench_flags.cc", "--model",
                              "--output"};
constexpr Names kStatusFlags = {"--output", "--show_profile"};
constexpr Names kTopFlags = {"client/cli/top_cli.cc", "--output"};
constexpr Names kHealthFlags = {"--output", "--service"};
constexpr Names kModelsFlags = {"--output"};
constexpr Names kDoctorFlags = {"--output", "--output_file"};
constexpr Names kShells = {"bash", "zsh", "fish"};

// A command that takes no argument.
template <int (*Main)(Interrupt&)>
int Plain(Interrupt& interrupt, const std::string& /*argument*/) {
  return Main(interrupt);
}

constexpr Command kCommands[] = {
    {"generate", "text from one prompt, streamed", Plain<GenerateMain>,
     Reaches::kServerOrModel, kGenerateFlags},
    {"batch",
     "a file of requests (JSON lines) to a file of results; can be\n"
     "killed at any point and run again",
     Plain<BatchMain>, Reaches::kServerOrModel, kBatchFlags},
    {"score", "how well the model predicts a text: its perplexity",
     Plain<ScoreMain>, Reaches::kServerOrModel, kScoreFlags},
    {"bench", "how fast it is, policy against policy; charts and JSON",
     Plain<BenchMain>, Reaches::kServerOrModel, kBenchFlags},
    {"plan",
     "how fast it would be, policy by policy, and why; nothing is\n"
     "generated                          (--model_dir only)",
     Plain<PlanMain>, Reaches::kModel, kPlanFlags},
    {"status", "queue, workers, what they did      (--server only)",
     Plain<StatusMain>, Reaches::kServer, kStatusFlags},
    {"top", "the same, live, and at what rates  (--server only)",
     Plain<TopMain>, Reaches::kServer, kTopFlags},
    {"health", "exits 0 when the server is serving (--server only)",
     Plain<HealthMain>, Reaches::kServer, kHealthFlags},
    {"models", "names, shapes, limits", Plain<ModelsMain>,
     Reaches::kServerOrModel, kModelsFlags},
    {"doctor",
     "what is wrong with this machine, a model's folder or the way\n"
     "to a server, and what to do about it  (needs neither)",
     Plain<DoctorMain>, Reaches::kServerOrModel, kDoctorFlags},
    {"completion",
     "a script that completes commands and flags in your shell:\n"
     "bash, zsh or fish                  (needs neither)",
     [](Interrupt&, const std::string& shell) {
       return CompletionMain(Commands(), shell);
     },
     Reaches::kNothing,
     {},
     kShells},
};

constexpr char kUsage[] =
    R"(hybridserve: text from language models larger than the accelerator.

  hybridserve generate --model_dir=DIR --prompt=TEXT
      Load a model and generate, all in this process.
  hybridserve generate --server=HOST:PORT --prompt=TEXT
      The same through a scheduler.
  hybridserve COMMAND --help
      One command and its flags.

Commands (each takes --server=HOST:PORT or --model_dir=DIR):
)";

// Titles of the flags, whatever the command.
std::vector<FlagGroup> Groups() {
  return {{"requests and output", "client/"},
          {"with --model_dir, model and device", "worker/"},
          {"with --model_dir, batching and cache", "scheduler/"},
          {"all programs'", "common/"}};
}

}  // namespace

absl::Span<const Command> Commands() { return kCommands; }

const Command* FindCommand(absl::string_view name) {
  for (const Command& command : kCommands) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

ProgramUsage ClientUsage() {
  ProgramUsage usage = {.name = "hybridserve",
                        .text = kUsage,
                        .groups = Groups(),
                        .takes_arguments = true,
                        .of_arguments =
                            [](const std::vector<std::string>& arguments) {
                              return CommandUsage(arguments.front());
                            },
                        .log_level = "error"};
  for (const Command& command : kCommands) {
    const std::string help =
        absl::StrReplaceAll(command.help, {{"\n", "\n              "}});
    absl::StrAppendFormat(&usage.text, "  %-11s %s\n", command.name, help);
  }
  return usage;
}

ProgramUsage CommandUsage(absl::string_view name) {
  const Command* const command = FindCommand(name);
  if (command == nullptr) return ClientUsage();
  const std::string arguments = absl::StrJoin(command->arguments, "|");
  return {.name = "hybridserve",
          .text = absl::StrCat(
              "hybridserve ", name, arguments.empty() ? "" : " ", arguments,
              " [FLAGS]", "\n    ",
              absl::StrReplaceAll(command->help, {{"\n", "\n    "}})),
          .groups = Groups(),
          .shows = [command](const absl::CommandLineFlag& flag) {
            return TakesFlag(*command, flag);
          }};
}

}  // namespace hybridserve
