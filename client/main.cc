// The `hybridserve` program: everything that talks to a scheduler, or brings
// its own (embedded mode).

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <limits>
#include <memory>
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
#include "absl/time/clock.h"
#include "client/batch/batch_runner.h"
#include "client/bench/bench_command.h"
#include "client/bench/bench_flags.h"
#include "client/bench/embedded_policies.h"
#include "client/commands/command.h"
#include "client/commands/generate_command.h"
#include "client/commands/inspect_commands.h"
#include "client/commands/score_command.h"
#include "client/connection.h"
#include "client/embedded_server.h"
#include "client/generation_options.h"
#include "client/interrupt.h"
#include "client/load_bar.h"
#include "client/plan/plan_command.h"
#include "client/plan/plan_flags.h"
#include "client/policy_worker.h"
#include "client/progress_bar.h"
#include "client/status_text.h"
#include "common/program.h"
#include "common/repeated_text.h"
#include "common/status_macros.h"
#include "scheduler/flags/scheduler_flags.h"
#include "worker/device/cuda/offer_cuda.h"
#include "worker/flags/worker_flags.h"

ABSL_FLAG(std::string, server, "",
          "HOST:PORT of a scheduler. Or give --model_dir: this program then "
          "runs scheduler and worker itself and takes their flags.");
ABSL_FLAG(std::string, tls_ca, "",
          "PEM file with the certificates that vouch for --server. Empty: the "
          "connection is in the clear.");
ABSL_FLAG(std::string, tls_certificate, "",
          "With --tls_ca: PEM file of your own certificate chain, for a server "
          "that wants one.");
ABSL_FLAG(std::string, tls_key, "", "PEM file of its private key.");
ABSL_FLAG(std::string, api_key_file, "",
          "File whose first line is the API key to show to --server.");
ABSL_FLAG(std::string, tenant, "",
          "For whom to ask, where the server lets you say it.");
ABSL_FLAG(std::string, model, "",
          "The model's name; not needed where the server has one.");
ABSL_FLAG(std::string, output, "text", "How to print: text or json.");
ABSL_FLAG(std::optional<std::string>, prompt, std::nullopt,
          "generate: the text to go on from.");
ABSL_FLAG(std::string, token_ids, "",
          "generate: token ids to go on from instead: 1,2,3.");
ABSL_FLAG(std::optional<int64_t>, max_tokens, std::nullopt,
          "Most tokens to generate (128, or what the model's limit leaves).");
ABSL_FLAG(std::optional<int64_t>, min_tokens, std::nullopt,
          "Go on after end tokens until there are so many (0).");
ABSL_FLAG(std::optional<double>, temperature, std::nullopt,
          "0 (default): always the likeliest token. Higher: more variety.");
ABSL_FLAG(std::optional<int64_t>, top_k, std::nullopt,
          "Draw from the k likeliest tokens only. 0: from all.");
ABSL_FLAG(std::optional<double>, top_p, std::nullopt,
          "Draw from the likeliest tokens that sum up to p only.");
ABSL_FLAG(std::optional<uint64_t>, seed, std::nullopt,
          "Makes draws repeatable.");
ABSL_FLAG(hybridserve::RepeatedText, stop, {},
          "Text that ends the output where it begins. May be repeated.");
ABSL_FLAG(bool, ignore_eos, false, "Go on after the model's end token.");
ABSL_FLAG(bool, logprobs, false, "generate: show each token's log-prob.");
ABSL_FLAG(std::string, generation_config, "none",
          "Where unset sampling fields come from: none (greedy) or model (its "
          "generation_config.json).");
ABSL_FLAG(std::string, input, "", "batch, score: the file to read.");
ABSL_FLAG(std::string, output_file, "", "batch: the file to write.");
ABSL_FLAG(std::optional<int64_t>, window, std::nullopt,
          "batch: requests in flight at once (64). score: tokens of a window "
          "(the model's limit, at most 2048, less one).");
ABSL_FLAG(bool, ordered, false, "batch: output lines in the input's order.");
ABSL_FLAG(std::string, shard, "0/1",
          "batch: I/N takes every N-th line, from line I + 1 on.");
ABSL_FLAG(std::string, service, "",
          "health: the service or model to ask for. Empty: the server.");
ABSL_FLAG(bool, show_profile, false, "status: also show measured rates.");

namespace hybridserve {
namespace {

constexpr char kUsage[] =
    R"(hybridserve: text from language models larger than the accelerator.

  hybridserve generate --model_dir=DIR --prompt=TEXT
      Load a model and generate, all in this process.
  hybridserve generate --server=HOST:PORT --prompt=TEXT
      The same through a scheduler.

Commands (each takes --server=HOST:PORT or --model_dir=DIR):
  generate   text from one prompt, streamed
  batch      a file of requests (JSON lines) to a file of results; can be
             killed at any point and run again
  score      how well the model predicts a text: its perplexity
  bench      how fast it is, policy against policy; charts and JSON
  plan       how fast it would be, policy by policy, and why; nothing is
             generated                          (--model_dir only)
  status     queue, workers, what they did      (--server only)
  health     exits 0 when the server is serving (--server only)
  models     names, shapes, limits
)";

absl::Status WrongFlag(absl::string_view flag, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, ": ", why));
}

absl::StatusOr<OutputFormat> FormatFromFlags() {
  const std::string format = absl::GetFlag(FLAGS_output);
  if (format == "text") return OutputFormat::kText;
  if (format == "json") return OutputFormat::kJson;
  return WrongFlag("output",
                   absl::StrCat("\"", format, "\" is neither text nor json"));
}

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

// What generate and batch share.
absl::StatusOr<GenerationOptions> GenerationFromFlags() {
  GenerationOptions options;
  options.model = absl::GetFlag(FLAGS_model);
  options.max_tokens = absl::GetFlag(FLAGS_max_tokens);
  options.min_tokens = absl::GetFlag(FLAGS_min_tokens);
  options.temperature = absl::GetFlag(FLAGS_temperature);
  options.top_k = absl::GetFlag(FLAGS_top_k);
  options.top_p = absl::GetFlag(FLAGS_top_p);
  options.seed = absl::GetFlag(FLAGS_seed);
  options.stop = absl::GetFlag(FLAGS_stop).values;
  options.ignore_eos = absl::GetFlag(FLAGS_ignore_eos);
  options.log_probs = absl::GetFlag(FLAGS_logprobs);
  const std::string config = absl::GetFlag(FLAGS_generation_config);
  if (config != "none" && config != "model") {
    return WrongFlag("generation_config", "must be none or model");
  }
  options.model_defaults = config == "model";
  return options;
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

absl::StatusOr<BatchOptions> BatchFromFlags() {
  BatchOptions options;
  ASSIGN_OR_RETURN(options.defaults, GenerationFromFlags());
  options.input = absl::GetFlag(FLAGS_input);
  options.output_file = absl::GetFlag(FLAGS_output_file);
  if (options.input.empty()) return WrongFlag("input", "is required");
  if (options.output_file.empty()) {
    return WrongFlag("output_file", "is required");
  }
  options.window = absl::GetFlag(FLAGS_window).value_or(options.window);
  if (options.window < 1 || options.window > 65536) {
    return WrongFlag("window", "must be in [1, 65536]");
  }
  options.ordered = absl::GetFlag(FLAGS_ordered);
  const std::vector<std::string> shard =
      absl::StrSplit(absl::GetFlag(FLAGS_shard), '/');
  if (shard.size() != 2 || !absl::SimpleAtoi(shard[0], &options.shard_index) ||
      !absl::SimpleAtoi(shard[1], &options.shard_count) ||
      options.shard_index < 0 || options.shard_index >= options.shard_count) {
    return WrongFlag("shard", "must be I/N with 0 <= I < N");
  }
  return options;
}

absl::StatusOr<ScoreCommandOptions> ScoreFromFlags() {
  ScoreCommandOptions options;
  ASSIGN_OR_RETURN(options.format, FormatFromFlags());
  options.model = absl::GetFlag(FLAGS_model);
  options.input = absl::GetFlag(FLAGS_input);
  options.window = absl::GetFlag(FLAGS_window);
  if (options.input.empty()) return WrongFlag("input", "is required");
  if (options.window.has_value() && *options.window < 1) {
    return WrongFlag("window", "must be at least 1");
  }
  return options;
}

// Where the requests go: a server, or one inside this process.
class Backend {
 public:
  // InvalidArgument: the flags are wrong.
  static absl::Status CheckFlags(bool takes_embedded) {
    const bool server = !absl::GetFlag(FLAGS_server).empty();
    if (!takes_embedded && !server) return WrongFlag("server", "is required");
    if (server == HasModelDirFlag() && takes_embedded) {
      return absl::InvalidArgumentError(
          "needs one of --server and --model_dir");
    }
    if (server) return absl::OkStatus();
    RETURN_IF_ERROR(WorkerOptionsFromFlags().status());
    RETURN_IF_ERROR(SchedulerOptionsFromFlags().status());
    return PolicyFromFlags().status();
  }

  absl::StatusOr<std::shared_ptr<grpc::Channel>> Open() {
    if (const std::string server = absl::GetFlag(FLAGS_server);
        !server.empty()) {
      return DialServer(
          {.address = server,
           .tls = {.certificate_file = absl::GetFlag(FLAGS_tls_certificate),
                   .key_file = absl::GetFlag(FLAGS_tls_key),
                   .ca_file = absl::GetFlag(FLAGS_tls_ca)},
           .identity = {.api_key_file = absl::GetFlag(FLAGS_api_key_file),
                        .tenant = absl::GetFlag(FLAGS_tenant)}});
    }
    SchedulerServerOptions scheduler;
    ASSIGN_OR_RETURN(scheduler.core, SchedulerOptionsFromFlags());
    scheduler.core.term = 0;
    ASSIGN_OR_RETURN(scheduler.policy, PolicyFromFlags());
    ASSIGN_OR_RETURN(WorkerOptions worker, WorkerOptionsFromFlags());
    worker.max_running = scheduler.core.max_running;
    worker = WorkerForPolicy(std::move(worker), *scheduler.policy);
    LoadBar bar(std::cerr, StderrIsTerminal(), absl::Now());
    auto embedded = EmbeddedServer::Start(
        std::move(scheduler), worker,
        [&](const LoadProgress& progress) { bar.Show(progress, absl::Now()); });
    bar.Finish(absl::Now());
    ASSIGN_OR_RETURN(embedded_, std::move(embedded));
    return embedded_->channel();
  }

 private:
  std::unique_ptr<EmbeddedServer> embedded_;
};

int Fail(int code, const absl::Status& status) {
  std::cerr << "hybridserve: "
            << (code == kExitUsage ? std::string{status.message()}
                                   : Describe(status))
            << std::endl;
  return code;
}

// How a command that brings its own worker ends: only that may find out that a
// flag is wrong.
int End(const absl::Status& status) {
  if (status.ok()) return kExitDone;
  return Fail(IsUsageError(status) ? kExitUsage : kExitFailed, status);
}

// Opens the backend and runs `command` on its channel.
template <typename Command>
int Run(bool takes_embedded, Command command) {
  if (absl::Status flags = Backend::CheckFlags(takes_embedded); !flags.ok()) {
    return Fail(kExitUsage, flags);
  }
  Backend backend;
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = backend.Open();
  if (!channel.ok()) return End(channel.status());
  const absl::Status status = command(*std::move(channel));
  return status.ok() ? kExitDone : Fail(kExitFailed, status);
}

absl::Status Batch(const BatchOptions& options,
                   std::shared_ptr<grpc::Channel> channel,
                   Interrupt& interrupt) {
  ASSIGN_OR_RETURN(const BatchSummary summary,
                   RunBatch(options, std::move(channel), interrupt, std::cerr,
                            StderrIsTerminal()));
  std::cout << summary.lines << " lines done, " << summary.errors
            << " of them with an error; " << summary.completion_tokens
            << " tokens generated" << std::endl;
  return absl::OkStatus();
}

absl::StatusOr<BenchCommandOptions> BenchFromFlags() {
  const bool embedded = absl::GetFlag(FLAGS_server).empty();
  ASSIGN_OR_RETURN(BenchCommandOptions options,
                   BenchCommandFromFlags(embedded));
  ASSIGN_OR_RETURN(options.format, FormatFromFlags());
  options.bench.model = absl::GetFlag(FLAGS_model);
  options.bench.seed = absl::GetFlag(FLAGS_seed).value_or(options.bench.seed);
  return options;
}

// bench without a server: all policies in turn.
absl::Status BenchPolicies(const BenchCommandOptions& options,
                           const WorkerOptions& worker,
                           const SchedulerOptions& scheduler) {
  EmbeddedPolicies policies(
      scheduler,
      [&](const BenchPolicy& policy)
          -> absl::StatusOr<EmbeddedPolicies::Setting> {
        EmbeddedPolicies::Setting setting;
        ASSIGN_OR_RETURN(setting.policy,
                         PolicyFromFlags(PolicyFlagsOf(policy)));
        ASSIGN_OR_RETURN(setting.worker,
                         WorkerForBench(worker, policy, options.bench));
        return setting;
      });
  return RunBench(
      options, [&](const BenchPolicy& policy) { return policies.Open(policy); },
      std::cout);
}

int Bench() {
  const bool server = !absl::GetFlag(FLAGS_server).empty();
  if (server == HasModelDirFlag()) {
    return Fail(kExitUsage, absl::InvalidArgumentError(
                                "needs one of --server and --model_dir"));
  }
  const auto options = BenchFromFlags();
  if (!options.ok()) return Fail(kExitUsage, options.status());
  if (server) {
    return Run(false, [&](auto channel) {
      return RunBenchOnServer(*options, std::move(channel), std::cout);
    });
  }
  auto scheduler = SchedulerOptionsFromFlags();
  if (!scheduler.ok()) return Fail(kExitUsage, scheduler.status());
  auto worker = WorkerOptionsFromFlags();
  if (!worker.ok()) return Fail(kExitUsage, worker.status());
  scheduler->max_running = MaxRunningFor(*scheduler, options->bench.batch);
  worker->max_running = scheduler->max_running;
  return End(BenchPolicies(*options, *worker, *scheduler));
}

int Plan() {
  if (!absl::GetFlag(FLAGS_server).empty()) {
    return Fail(kExitUsage,
                WrongFlag("server", "plan measures this machine alone"));
  }
  auto options = PlanCommandFromFlags(absl::GetFlag(FLAGS_model));
  if (!options.ok()) return Fail(kExitUsage, options.status());
  const auto format = FormatFromFlags();
  if (!format.ok()) return Fail(kExitUsage, format.status());
  options->format = *format;
  return End(RunPlan(
      *options,
      [](const BenchPolicy& policy) {
        return PolicyFromFlags(PolicyFlagsOf(policy));
      },
      std::cerr, std::cout));
}

int RunCommand(const std::string& name) {
  Interrupt interrupt;
  if (name == "generate") {
    const auto options = GenerateFromFlags();
    if (!options.ok()) return Fail(kExitUsage, options.status());
    return Run(true, [&](auto channel) {
      return RunGenerate(*options, std::move(channel), interrupt, std::cout);
    });
  }
  if (name == "batch") {
    const auto options = BatchFromFlags();
    if (!options.ok()) return Fail(kExitUsage, options.status());
    return Run(true, [&](auto channel) {
      return Batch(*options, std::move(channel), interrupt);
    });
  }
  if (name == "bench") return Bench();
  if (name == "plan") return Plan();
  if (name == "score") {
    const auto options = ScoreFromFlags();
    if (!options.ok()) return Fail(kExitUsage, options.status());
    return Run(true, [&](auto channel) {
      return RunScore(*options, std::move(channel), std::cout);
    });
  }
  const auto format = FormatFromFlags();
  if (!format.ok()) return Fail(kExitUsage, format.status());
  if (name == "models") {
    return Run(true, [&](auto channel) {
      return RunModels(*format, std::move(channel), std::cout);
    });
  }
  if (name == "status") {
    return Run(false, [&](auto channel) {
      return RunStatus(*format, absl::GetFlag(FLAGS_show_profile),
                       std::move(channel), std::cout);
    });
  }
  if (name == "health") {
    return Run(false, [&](auto channel) {
      return RunHealth(absl::GetFlag(FLAGS_service), std::move(channel),
                       std::cout);
    });
  }
  return Fail(kExitUsage,
              absl::InvalidArgumentError(absl::StrCat(
                  "unknown command \"", name, "\"; see hybridserve --help")));
}

}  // namespace
}  // namespace hybridserve

int main(int argc, char** argv) {
  const std::vector<std::string> words = hybridserve::InitProgram(
      argc, argv,
      {.name = "hybridserve",
       .text = hybridserve::kUsage,
       .groups = {{"requests and output", "client/"},
                  {"with --model_dir, model and device", "worker/"},
                  {"with --model_dir, batching and cache", "scheduler/"},
                  {"all programs'", "common/"}},
       .takes_arguments = true,
       .log_level = "error"});
  hybridserve::OfferCuda();
  if (words.size() != 1) {
    return hybridserve::Fail(
        hybridserve::kExitUsage,
        absl::InvalidArgumentError(
            words.empty() ? "needs a command; see hybridserve --help"
                          : absl::StrCat("unexpected \"", words[1], "\"")));
  }
  return hybridserve::RunCommand(words[0]);
}
