#include "client/cli/batch_cli.h"

#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "client/batch/batch_runner.h"
#include "client/batch/output_file.h"
#include "client/cli/backend.h"
#include "client/cli/failure.h"
#include "client/cli/generation_flags.h"
#include "client/cli/shared_flags.h"
#include "client/commands/command.h"
#include "client/progress_bar.h"
#include "common/flag_error.h"
#include "common/status_macros.h"

ABSL_FLAG(std::string, output_file, "",
          "batch: the file to write. doctor: where it would be.");
ABSL_FLAG(bool, ordered, false, "batch: output lines in the input's order.");
ABSL_FLAG(std::string, shard, "0/1",
          "batch: I/N takes every N-th line, from line I + 1 on.");

namespace hybridserve {
namespace {

absl::StatusOr<BatchOptions> BatchFromFlags() {
  BatchOptions options;
  ASSIGN_OR_RETURN(options.defaults, GenerationFromFlags());
  options.input = absl::GetFlag(FLAGS_input);
  options.output_file = absl::GetFlag(FLAGS_output_file);
  if (options.input.empty()) return WrongFlag("input", "is required");
  if (options.output_file.empty()) {
    return WrongFlag("output_file", "is required");
  }
  if (OutputFile::Writes(options.output_file, options.input)) {
    return WrongFlag("output_file", "would be written over --input");
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
  // No worker comes to the one in this process.
  if (!HasServerFlag()) options.wait_for_model = absl::ZeroDuration();
  return options;
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

}  // namespace

int BatchMain(Interrupt& interrupt) {
  const auto options = BatchFromFlags();
  if (!options.ok()) return Fail(kExitUsage, options.status());
  return RunOnBackend(true, [&](auto channel) {
    return Batch(*options, std::move(channel), interrupt);
  });
}

}  // namespace hybridserve
