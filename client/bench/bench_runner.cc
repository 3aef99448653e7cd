#include "client/bench/bench_runner.h"

#include <algorithm>
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
    PassOptions pass = PassOf(options, result, options.batch.value_or(1));
    if (!options.batch.has_value()) {
      const auto batch = FindLargestBatch(server->channel, pass);
      RETURN_IF_ERROR(At(result, batch.status()));
      pass.batch = *batch;
    }
    batches.push_back(pass.batch);
    pass.output_tokens = std::min(pass.output_tokens, kWarmUpTokens);
    pass.measure_decode = false;
    auto warm_up = RunPass(server->channel, pass);
    RETURN_IF_ERROR(At(result, warm_up.status()));
    warm_ups.push_back(*std::move(warm_up));
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
      result.passes.push_back(*std::move(pass));
    }
  }
  bar.Finish(done, "", absl::Now());
  SetIdealsOfTheRun(warm_ups, results);
  return results;
}

}  // namespace hybridserve
