#include "client/policy_worker.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "client/bench/bench_flags.h"
#include "common/status_macros.h"
#include "scheduler/flags/scheduler_flags.h"

namespace hybridserve {
namespace {

// Positions of all sequences, where nobody says how many.
constexpr int64_t kTokens = 32768;

// Those of a bench's requests, and as many outputs again: the decode phase may
// be looked at in a longer run.
int64_t TokensOf(const BenchOptions& bench) {
  if (!bench.batch.has_value()) return kTokens;
  const int64_t prompt =
      *std::max_element(bench.prompt_tokens.begin(), bench.prompt_tokens.end());
  return *bench.batch * (prompt + 2 * bench.output_tokens + 16);
}

int64_t ShareOf(int64_t tokens, double ratio) {
  return std::llround(std::ceil(static_cast<double>(tokens) * ratio));
}

}  // namespace

WorkerOptions WorkerForPolicy(WorkerOptions worker, const Policy& policy) {
  if (worker.recompute_tokens == 0) {
    worker.recompute_tokens = ShareOf(kTokens, policy.recompute_ratio());
  }
  if (!worker.resident_weights.has_value()) {
    worker.resident_weights = policy.resident_weights();
  }
  if (policy.unpinned_cache()) worker.unpinned_cache = true;
  return worker;
}

absl::StatusOr<WorkerOptions> WorkerForBench(WorkerOptions worker,
                                             const BenchPolicy& policy,
                                             const BenchOptions& bench) {
  if (worker.recompute_tokens == 0 && policy.name == "recompute") {
    double most = 0;
    for (const BenchPolicy& other : bench.policies) {
      ASSIGN_OR_RETURN(const auto parsed,
                       PolicyFromFlags(PolicyFlagsOf(other)));
      most = std::max(most, parsed->recompute_ratio());
    }
    worker.recompute_tokens = ShareOf(TokensOf(bench), most);
  }
  ASSIGN_OR_RETURN(const auto parsed, PolicyFromFlags(PolicyFlagsOf(policy)));
  return WorkerForPolicy(std::move(worker), *parsed);
}

}  // namespace hybridserve
