#include "client/bench/bench_runner.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/bench/run_costs.h"
#include "client/progress_bar.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

// Of the pass that warms up: enough to run each kind of step.
constexpr int64_t kWarmUpTokens = 3;
// For the largest batch.
constexpr int kLooks = 3;

using Channel = std::shared_ptr<grpc::Channel>;

absl::Status At(const BenchResult& result, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat(status.message(), " (policy ", result.policy.Label(), ", ",
                   result.prompt_tokens, " prompt tokens)"));
}

// A result's requests; those of all policies are the same.
PassOptions PassOf(const BenchOptions& options, const BenchResult& result,
                   int64_t batch) {
  return {.model = options.model,
          .batch = batch,
          .prompt_tokens = result.prompt_tokens,
          .output_tokens = result.output_tokens,
          .seed = options.seed};
}

struct WarmUp {
  int64_t batch = 0;
  PassResult pass;
};

// A warm-up of `largest` requests. While prompts are read a little more fits
// than while all decode, so if no step has all decode, twice, there become
// fewer: by an eighth at most, in case that is not the reason.
absl::StatusOr<WarmUp> WarmUpAtMost(int64_t largest, const Channel& channel,
                                    PassOptions measured, PassOptions warm_up) {
  const int64_t least = std::max<int64_t>(1, largest - 1 - largest / 8);
  std::optional<WarmUp> first;
  for (int64_t batch = largest; batch >= least; --batch) {
    measured.batch = warm_up.batch = batch;
    ASSIGN_OR_RETURN(PassResult pass, RunPass(channel, warm_up));
    if (measured.output_tokens == 1) return WarmUp{batch, std::move(pass)};
    ASSIGN_OR_RETURN(PassResult decode, RunDecodePass(channel, measured, pass));
    if (!decode.decode.has_value()) {
      ASSIGN_OR_RETURN(decode, RunDecodePass(channel, measured, pass));
    }
    pass.prompt_steps = decode.prompt_steps;
    WarmUp found = {batch, std::move(pass)};
    if (decode.decode.has_value()) return found;
    if (!first.has_value()) first = std::move(found);
  }
  return *std::move(first);
}

// The warm-up of the largest batch. Costs that were measured while as many
// requests came in as the queue takes, on the cores that computed, may be far
// off, and with them how many are run at once. After a warm-up they have
// settled, so it is looked again, with requests that trouble nobody.
absl::StatusOr<WarmUp> WarmUpLargestBatch(const Channel& channel,
                                          const PassOptions& measured,
                                          const PassOptions& warm_up) {
  ASSIGN_OR_RETURN(int64_t largest,
                   FindLargestBatch(channel, measured, INT64_MAX));
  WarmUp best;
  for (int i = 0; i < kLooks && largest > best.batch; ++i) {
    ASSIGN_OR_RETURN(WarmUp found,
                     WarmUpAtMost(largest, channel, measured, warm_up));
    if (found.batch > best.batch) best = std::move(found);
    ASSIGN_OR_RETURN(largest,
                     FindLargestBatch(channel, measured, 2 * best.batch));
  }
  return best;
}

}  // namespace

std::string BenchPolicy::Label() const {
  if (!recompute_ratio.empty()) return absl::StrCat(name, " ", recompute_ratio);
  if (relays()) return absl::StrCat(name, " relay");
  return act_ratio == "auto" ? name : absl::StrCat(name, " ", act_ratio);
}

absl::StatusOr<std::vector<BenchResult>> RunBenchPasses(
    const BenchOptions& options, const OpenPolicy& open, std::ostream& progress,
    bool progress_is_terminal) {
  std::vector<BenchResult> results;
  for (const int64_t prompt_tokens : options.prompt_tokens) {
    for (const BenchPolicy& policy : options.policies) {
      results.push_back({.policy = policy,
                         .batch_requested = options.batch,
                         .prompt_tokens = prompt_tokens,
                         .output_tokens = options.output_tokens});
    }
  }
  const int64_t total =
      static_cast<int64_t>(results.size()) * (options.repeats + 1);
  ProgressBar bar(progress, progress_is_terminal, total, 0, absl::Now());
  int64_t done = 0;
  const auto show = [&](const BenchResult& result, absl::string_view phase) {
    bar.Show(done++,
             absl::StrCat(result.policy.Label(), ", prompt of ",
                          result.prompt_tokens, ", ", phase),
             absl::Now());
  };
  std::vector<int64_t> batches;
  std::vector<PassResult> warm_ups;
  for (BenchResult& result : results) {
    show(result, "warming up");
    const auto server = open(result.policy);
    RETURN_IF_ERROR(At(result, server.status()));
    result.worker_setting = server->worker_setting;
    const PassOptions measured =
        PassOf(options, result, options.batch.value_or(1));
    PassOptions pass = measured;
    pass.output_tokens = std::min(pass.output_tokens, kWarmUpTokens);
    pass.measure_decode = false;
    if (options.batch.has_value()) {
      auto warm_up = RunPass(server->channel, pass);
      RETURN_IF_ERROR(At(result, warm_up.status()));
      batches.push_back(pass.batch);
      warm_ups.push_back(*std::move(warm_up));
    } else {
      auto warm_up = WarmUpLargestBatch(server->channel, measured, pass);
      RETURN_IF_ERROR(At(result, warm_up.status()));
      batches.push_back(warm_up->batch);
      warm_ups.push_back(std::move(warm_up->pass));
    }
  }
  for (int64_t repeat = 1; repeat <= options.repeats; ++repeat) {
    for (size_t i = 0; i < results.size(); ++i) {
      BenchResult& result = results[i];
      show(result, absl::StrCat("repeat ", repeat, " of ", options.repeats));
      const auto server = open(result.policy);
      RETURN_IF_ERROR(At(result, server.status()));
      const PassOptions pass_options = PassOf(options, result, batches[i]);
      auto pass = options.decode_only ? RunDecodePass(server->channel,
                                                      pass_options, warm_ups[i])
                                      : RunPass(server->channel, pass_options);
      RETURN_IF_ERROR(At(result, pass.status()));
      // So that the next one has the right lead.
      warm_ups[i].prompt_steps = pass->prompt_steps;
      result.passes.push_back(*std::move(pass));
    }
  }
  bar.Finish(done, "", absl::Now());
  SetIdealsOfTheRun(warm_ups, results);
  return results;
}

}  // namespace hybridserve
