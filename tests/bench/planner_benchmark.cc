#include <deque>
#include <memory>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "common/step_plan.h"
#include "common/step_result.h"
#include "common/testing/fake_clock.h"
#include "common/worker_link.h"
#include "glog/logging.h"
#include "scheduler/core/request.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/conversion.h"
#include "scheduler/policy/mini_batch_packer.h"
#include "scheduler/policy/mix_search.h"
#include "scheduler/policy/policy.h"
#include "scheduler/policy/step_roster.h"

// What the planner costs: Plan() every step, ChooseMix() when the workload has
// shifted; and the scheduler around it.

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

// Sequences of up to 2,048 positions with 64% ACT blocks, and a prompt that
// takes the slack.
void BM_Plan(benchmark::State& state) {
  const auto policy = ParsePolicy("hybrid", std::nullopt).value();
  const CostModel costs = Opt30b();
  std::mt19937 rng(1);
  StepSnapshot snapshot = {.limits = {.max_step_tokens = 1 << 20,
                                      .max_logit_rows = 1 << 20,
                                      .prefill_chunk_tokens = 512,
                                      .staging_half_slots = 4096},
                           .costs = SequenceCosts::Of(costs),
                           .model = &costs};
  for (int64_t i = 0; i < state.range(0); ++i) {
    const auto num_blocks = static_cast<int64_t>(1 + rng() % 128);
    SequenceView sequence = {
        .num_cached = num_blocks * 16 - 1, .num_ready = 1, .samples = true};
    for (int64_t k = 0; k < num_blocks; ++k) {
      sequence.cached.Add(
          {.kind = rng() % 100 < 64 ? CacheKind::kAct : CacheKind::kKv,
           .tier = rng() % 8 == 0 ? Tier::kDevice : Tier::kHost});
    }
    snapshot.sequences.push_back(sequence);
  }
  snapshot.sequences.push_back({.num_ready = 2048, .is_prefill = true});
  for (auto _ : state) {
    benchmark::DoNotOptimize(policy->Plan(snapshot, CacheMix()));
  }
}
BENCHMARK(BM_Plan)->Arg(64)->Arg(1000)->Arg(10'000)->Unit(
    benchmark::kMillisecond);

// The same sequences, some time before their ends; compute takes longer.
void BM_ChooseConversions(benchmark::State& state) {
  std::mt19937 rng(1);
  std::vector<ConversionCandidate> candidates(state.range(0));
  for (ConversionCandidate& candidate : candidates) {
    const auto num_blocks = static_cast<int64_t>(1 + rng() % 128);
    const int64_t act = num_blocks * 64 / 100;
    candidate = {.context_tokens = num_blocks * 16,
                 .blocks = {.kv_host = static_cast<double>(num_blocks - act),
                            .act_host = static_cast<double>(act)},
                 .convertible = act,
                 .steps_left = static_cast<int64_t>(8 + rng() % 1000)};
  }
  CostModel costs = Opt30b();
  costs.profile.fits[WorkKind::kRebuild].cost.seconds_per_unit *= 8;
  const ConversionRoom room = {.free_half_slots = 1 << 23,
                               .spare_half_slots = 1 << 23};
  const std::vector<int64_t> chosen =
      ChooseConversions(costs, room, candidates);
  CHECK_GT(std::accumulate(chosen.begin(), chosen.end(), int64_t{0}), 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(ChooseConversions(costs, room, candidates));
  }
}
BENCHMARK(BM_ChooseConversions)
    ->Arg(64)
    ->Arg(1000)
    ->Arg(10'000)
    ->Unit(benchmark::kMillisecond);

// Plans of which the results are made up as they are asked for.
class PlanKeeper final : public WorkerLink {
 public:
  explicit PlanKeeper(std::deque<StepPlan>& plans) : plans_(plans) {}
  void Send(StepPlan plan) override { plans_.push_back(std::move(plan)); }

 private:
  std::deque<StepPlan>& plans_;
};

class DeafObserver final : public RequestObserver {
 public:
  bool OnToken(const ProducedToken& /*token*/) override { return true; }
  void OnFinished(FinishReason /*reason*/, const Usage& /*usage*/) override {}
  void OnError(const absl::Status& /*status*/) override {}
};

WorkerInfo LargeWorker() {
  WorkerInfo info;
  info.name = "large";
  info.epoch = 1;
  info.model_name = "model";
  info.files.config_json =
      R"({"model_type":"opt","hidden_size":64,"num_hidden_layers":2,)"
      R"("num_attention_heads":2,"ffn_dim":256,"vocab_size":512,)"
      R"("max_position_embeddings":4096})";
  info.numerics.block_tokens = 16;
  info.pools = {{.tier = Tier::kHost, .half_slots = 1 << 23}};
  info.staging_half_slots = 4096;
  info.max_step_tokens = info.max_logit_rows = 1 << 20;
  info.layer_bytes = info.streamed_layer_bytes = 100'000;
  info.profile = {.link_bytes_per_second = 1e9,
                  .copy_out_bytes_per_second = 1e9,
                  .gemm_flops_per_second = 1e11};
  return info;
}

StepResult ResultOf(const StepPlan& plan) {
  StepResult result = {.fence = plan.fence};
  for (const StepSequence& sequence : plan.sequences) {
    result.sequences.push_back(
        {.sequence = sequence.sequence, .token = sequence.sample ? 5 : -1});
  }
  return result;
}

// All that the scheduler's thread does for a step in which every sequence
// decodes: takes the result, gives tokens out, grows tables, forms the next
// plan and sends it.
void BM_CoreStep(benchmark::State& state) {
  SchedulerOptions options;
  options.max_running = 1 << 20;
  options.prefill_chunk_tokens = 1 << 20;
  FakeClock clock;
  std::deque<StepPlan> plans;
  SchedulerCore core(options, ParsePolicy("hybrid", 0.64).value(), clock);
  const WorkerId id =
      core.AddWorker(LargeWorker(), std::make_unique<PlanKeeper>(plans))
          .value();
  for (int64_t i = 0; i < state.range(0); ++i) {
    GenerationRequest request;
    request.prompt.assign(1 + i % 200, 7);
    request.max_tokens = 3000;
    request.ignore_eos = true;
    CHECK(
        core.Submit(std::move(request), std::make_unique<DeafObserver>()).ok());
  }
  const auto step = [&] {
    const StepPlan plan = std::move(plans.front());
    plans.pop_front();
    core.OnResult(id, ResultOf(plan));
  };
  for (int i = 0; i < 10; ++i) step();  // The prompts.
  for (auto _ : state) step();
  CHECK_EQ(core.Snapshot().running, state.range(0));
}
BENCHMARK(BM_CoreStep)
    ->Arg(64)
    ->Arg(1000)
    ->Arg(10'000)
    ->Iterations(500)
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
