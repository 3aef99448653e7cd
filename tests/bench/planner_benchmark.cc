#include <random>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "scheduler/policy/mini_batch_packer.h"
#include "scheduler/policy/mix_search.h"
#include "scheduler/policy/step_roster.h"

// What the planner costs: Plan() every step, ChooseMix() when the workload has
// shifted.

namespace hybridserve {
namespace {

// OPT-30B behind a 24 GB/s link, with 50 us a piece.
CostModel Opt30b() {
  CostModel costs;
  const double h = 7168;
  costs.shape = {.num_layers = 48,
                 .layer_weight_bytes = 24 * h * h,
                 .kv_bytes_per_token = 4 * h,
                 .act_bytes_per_token = 2 * h,
                 .staging_half_slots = 4096};
  const auto set = [&costs](WorkKind kind, double seconds_per_unit) {
    costs.profile.fits[kind].cost = {.fixed = absl::Microseconds(50),
                                     .seconds_per_unit = seconds_per_unit};
  };
  set(WorkKind::kWeights, 1 / 24e9);
  set(WorkKind::kKv, 1 / 24e9);
  set(WorkKind::kAct, 1 / 24e9);
  set(WorkKind::kRebuild, 4 * h * h / 150e12);
  set(WorkKind::kForward, 24 * h * h / 150e12);
  set(WorkKind::kAttention, 4 * h / 1e12);
  return costs;
}

// Sequences of up to 2,048 positions with 64% ACT blocks.
void BM_FormRoster(benchmark::State& state) {
  std::mt19937 rng(1);
  std::vector<std::vector<BlockRef>> blocks(state.range(0));
  StepSnapshot snapshot = {.limits = {.max_step_tokens = 1 << 20,
                                      .max_logit_rows = 1 << 20,
                                      .staging_half_slots = 4096},
                           .costs = SequenceCosts::Of(Opt30b())};
  for (auto& table : blocks) {
    table.resize(1 + rng() % 128);
    for (BlockRef& block : table) {
      block.kind = rng() % 100 < 64 ? CacheKind::kAct : CacheKind::kKv;
      block.tier = rng() % 8 == 0 ? Tier::kDevice : Tier::kHost;
    }
    snapshot.sequences.push_back(
        {.num_cached = static_cast<int64_t>(table.size()) * 16 - 1,
         .num_ready = 1,
         .samples = true,
         .blocks = table});
  }
  for (auto _ : state) benchmark::DoNotOptimize(FormRoster(snapshot));
}
BENCHMARK(BM_FormRoster)
    ->Arg(64)
    ->Arg(1000)
    ->Arg(10'000)
    ->Unit(benchmark::kMillisecond);

void BM_PackMiniBatches(benchmark::State& state) {
  std::mt19937 rng(1);
  std::uniform_real_distribution<double> seconds(0, 1);
  std::vector<PackItem> items(state.range(0));
  for (PackItem& item : items) {
    item = {.staged_half_slots = 1 + static_cast<int64_t>(rng() % 300),
            .rows = 1,
            .load_seconds = seconds(rng),
            .compute_seconds = seconds(rng)};
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        PackMiniBatches(items, {.half_slots = 4096, .rows = 1 << 20}));
  }
}
BENCHMARK(BM_PackMiniBatches)
    ->Arg(64)
    ->Arg(1000)
    ->Arg(10'000)
    ->Unit(benchmark::kMillisecond);

void BM_BestMix(benchmark::State& state) {
  const CostModel costs = Opt30b();
  const Workload workload = {.sequences = state.range(0),
                             .context_tokens = 1024,
                             .final_tokens = 1100};
  const Capacities capacities = {.device_half_slots = 3000,
                                 .host_half_slots = 1 << 15};
  for (auto _ : state) {
    benchmark::DoNotOptimize(BestMix(costs, capacities, workload, ActShares()));
  }
}
BENCHMARK(BM_BestMix)
    ->Arg(16)
    ->Arg(64)
    ->Arg(256)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hybridserve
