#include "scheduler/policy/prefill_chunk.h"

#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/work.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

// Four layers of 10 ms of weights each; a row takes 0.1 ms, a pair 0.1 us; a
// block of 16 positions 0.2 ms over the link as KV.
CostModel Costs() {
  CostModel costs;
  costs.shape = {.num_layers = 4,
                 .layer_weight_bytes = 10e6,
                 .kv_bytes_per_token = 12'500,
                 .act_bytes_per_token = 6'250,
                 .staging_half_slots = 1000};
  const auto set = [&costs](WorkKind kind, double seconds_per_unit) {
    costs.profile.fits[kind].cost.seconds_per_unit = seconds_per_unit;
  };
  for (const WorkKind kind :
       {WorkKind::kWeights, WorkKind::kKv, WorkKind::kAct}) {
    set(kind, 1e-9);
  }
  set(WorkKind::kRebuild, 20e-6);
  set(WorkKind::kForward, 100e-6);
  set(WorkKind::kAttention, 0.1e-6);
  return costs;
}

SequenceView Decode(double kv_host, double act_host = 0) {
  return {.num_cached = static_cast<int64_t>(16 * (kv_host + act_host)),
          .num_ready = 1,
          .samples = true,
          .cached = {.kv_host = kv_host, .act_host = act_host}};
}

SequenceView Prompt(int64_t num_cached = 0) {
  return {.num_cached = num_cached,
          .num_ready = 2000,
          .is_prefill = true,
          .samples = true,
          .cached = {.kv_host = static_cast<double>(num_cached) / 16}};
}

StepSnapshot Snapshot(const CostModel& costs,
                      std::vector<SequenceView> sequences) {
  return {.limits = {.prefill_chunk_tokens = 512},
          .model = &costs,
          .waiting = 1,
          .sequences = std::move(sequences)};
}

TEST(PrefillRowsInSlackTest, TheyTakeAsLongAsTheStepWithoutThem) {
  const CostModel costs = Costs();
  // The link takes 10 + 4 ms; the two decoding rows, 0.2 ms and some, hide in
  // it.
  const StepSnapshot snapshot =
      Snapshot(costs, {Decode(10), Prompt(), Decode(10)});
  const int64_t rows = PrefillRowsInSlack(snapshot);
  const auto compute = [](int64_t r) {
    const auto n = static_cast<double>(r);
    return n * 100e-6 + n * (n + 1) / 2 * 0.1e-6;
  };
  EXPECT_LE(compute(rows), 14e-3);
  EXPECT_GT(compute(rows + 1), 14e-3);
}

TEST(PrefillRowsInSlackTest, AttentionToWhatIsCachedTakesSlack) {
  CostModel costs = Costs();
  // So that cached blocks don't make slack.
  costs.profile.fits[WorkKind::kKv].cost.seconds_per_unit = 0;
  const int64_t first =
      PrefillRowsInSlack(Snapshot(costs, {Decode(10), Prompt(0)}));
  const int64_t later =
      PrefillRowsInSlack(Snapshot(costs, {Decode(10), Prompt(1600)}));
  EXPECT_LT(later, first);
  EXPECT_GT(later, 16);
}

TEST(PrefillRowsInSlackTest, TwiceTheStepWhereComputeBinds) {
  const CostModel costs = Costs();
  // Rebuilding 200 ACT blocks takes 64 ms; the link 30 ms.
  const int64_t rows =
      PrefillRowsInSlack(Snapshot(costs, {Decode(0, 200), Prompt()}));
  const auto n = static_cast<double>(rows);
  EXPECT_NEAR(n * 100e-6 + n * (n + 1) / 2 * 0.1e-6, 64.4e-3, 0.3e-3);
}

TEST(PrefillRowsInSlackTest, ABlockAtLeastTheChunkAtMost) {
  CostModel costs = Costs();
  const auto rows = [&costs] {
    return PrefillRowsInSlack(Snapshot(costs, {Decode(10), Prompt()}));
  };
  costs.profile.fits[WorkKind::kForward].cost.seconds_per_unit = 1;
  EXPECT_EQ(rows(), 16);
  costs.profile.fits[WorkKind::kForward].cost.seconds_per_unit = 1e-6;
  costs.profile.fits[WorkKind::kAttention].cost.seconds_per_unit = 0;
  EXPECT_EQ(rows(), 512);
}

TEST(PrefillRowsInSlackTest, AllWhereNoRequestWaits) {
  const CostModel costs = Costs();
  StepSnapshot snapshot = Snapshot(costs, {Decode(10), Prompt()});
  EXPECT_LT(PrefillRowsInSlack(snapshot), 512);
  snapshot.waiting = 0;
  EXPECT_EQ(PrefillRowsInSlack(snapshot), 512);
  // A layer of 30.1 ms has 30 for them.
  snapshot.limits.max_step_time = absl::Milliseconds(4 * 30.1);
  const auto n = static_cast<double>(PrefillRowsInSlack(snapshot));
  EXPECT_NEAR(n * 100e-6 + n * (n + 1) / 2 * 0.1e-6, 30e-3, 0.3e-3);
}

TEST(PrefillRowsInSlackTest, AllWhereNothingDecodes) {
  const CostModel costs = Costs();
  EXPECT_EQ(PrefillRowsInSlack(Snapshot(costs, {Prompt()})), 512);
  SequenceView waits = Decode(10);
  waits.num_ready = 0;
  EXPECT_EQ(PrefillRowsInSlack(Snapshot(costs, {waits, Prompt()})), 512);
  EXPECT_EQ(PrefillRowsInSlack(Snapshot(costs, {Decode(10)})), 512);
}

TEST(PrefillRowsInSlackTest, AllWhereThereIsNoSlackToSpeakOf) {
  CostModel costs = Costs();
  costs.shape.one_memory = true;
  EXPECT_EQ(PrefillRowsInSlack(Snapshot(costs, {Decode(10), Prompt()})), 512);
  const CostModel free;
  EXPECT_EQ(PrefillRowsInSlack(Snapshot(free, {Decode(10), Prompt()})), 512);
  StepSnapshot unknown = Snapshot(costs, {Decode(10), Prompt()});
  unknown.model = nullptr;
  EXPECT_EQ(PrefillRowsInSlack(unknown), 512);
}

TEST(PrefillRowsInSlackTest, AStepTimeBoundsThem) {
  const CostModel costs = Costs();
  StepSnapshot snapshot = Snapshot(costs, {Decode(0, 200), Prompt()});
  // Four layers of 64 ms without prompt rows; one of 69 ms has 4.6 ms for them.
  snapshot.limits.max_step_time = absl::Milliseconds(4 * 69);
  const int64_t rows = PrefillRowsInSlack(snapshot);
  const auto n = static_cast<double>(rows);
  EXPECT_NEAR(n * 100e-6 + n * (n + 1) / 2 * 0.1e-6, 4.6e-3, 0.2e-3);
  snapshot.limits.max_step_time = absl::Milliseconds(1);
  EXPECT_EQ(PrefillRowsInSlack(snapshot), 16);
}

TEST(PrefillRowsInSlackTest, WriteBackBoundsThemToo) {
  CostModel costs = Costs();
  const auto rows = [&costs] {
    return PrefillRowsInSlack(Snapshot(costs, {Decode(10), Prompt()}));
  };
  const int64_t free = rows();
  // 12,500 bytes a row, 0.25 ms; the layer takes twice 12 ms.
  costs.profile.fits[WorkKind::kWriteBack].cost.seconds_per_unit = 20e-9;
  EXPECT_LT(rows(), free);
  EXPECT_NEAR(static_cast<double>(rows()), 48, 1);
}

}  // namespace
}  // namespace hybridserve
