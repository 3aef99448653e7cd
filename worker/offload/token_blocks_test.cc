// Plans with TOKENS blocks, whose positions run again: the validator has to
// know their ids.
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/offload/plan_validator.h"
#include "worker/testing/small_plans.h"

namespace hybridserve {
namespace {

using ::testing::IsEmpty;

StepLimits RecomputingLimits() {
  StepLimits limits = kSmallLimits;
  limits.max_recomputed_rows = 48;
  limits.max_step_tokens = 24;
  return limits;
}

// 20 prompt tokens of 7 to 26, in two TOKENS blocks; a third block of KV.
StepPlan TokensPlan() {
  StepPlan plan;
  plan.table_updates = {FullTable(1, {kTokenBlock, kTokenBlock, Kv(0, 1)})};
  plan.sequences = {{.sequence = SequenceId(1), .num_new = 20, .sample = true}};
  for (int i = 0; i < 20; ++i) plan.sequences[0].new_tokens.push_back(7 + i);
  plan.mini_batches = {{.sequences = {0}}};
  return plan;
}

TEST(TokenBlocksTest, RecomputesTokensInChunksOfWholeBlocks) {
  PlanValidator validator(RecomputingLimits());
  const StepLayout first = validator.Accept(TokensPlan()).value();
  EXPECT_TRUE(first.writes.empty());
  EXPECT_TRUE(first.recomputed.empty());

  StepPlan plan;
  plan.sequences = {
      {.sequence = SequenceId(1), .num_cached = 20, .num_new = 1}};
  plan.mini_batches = {{.sequences = {0}}};
  const StepLayout layout = validator.Accept(plan).value();
  EXPECT_EQ(layout.num_rows(), 1);
  EXPECT_EQ(layout.num_input_rows(), 33);
  EXPECT_EQ(layout.recomputed[19].token, 26);
  EXPECT_EQ(layout.recomputed[19].position, 19);
  EXPECT_EQ(layout.recomputed[20].position, 0);  // Fills the block up.
  const MiniBatchLayout& mini_batch = layout.mini_batches[0];
  EXPECT_EQ(mini_batch.num_token_blocks, 2);
  EXPECT_EQ(mini_batch.num_loaded_blocks, 0);
  EXPECT_EQ(mini_batch.staged_half_slots(), 4);
  ASSERT_EQ(mini_batch.recomputed.size(), 2u);
  EXPECT_EQ(mini_batch.recomputed[0].num_rows, 24);
  EXPECT_EQ(mini_batch.recomputed[1].first_row, 24);
  EXPECT_EQ(mini_batch.recomputed[1].num_rows, 8);
  EXPECT_EQ(mini_batch.recomputed[1].runs[0].num_cached, 24);
  EXPECT_EQ(mini_batch.recomputed[1].runs[0].first_block, 0);
  EXPECT_TRUE(layout.writes.empty());

  // A sampled token's id is known once it has come.
  plan.sequences = {{.sequence = SequenceId(1),
                     .num_cached = 21,
                     .new_tokens = {50},
                     .num_new = 1}};
  EXPECT_THAT(validator.Accept(plan),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "no token to recompute position 20"));
  validator.table().SetToken(SequenceId(1), 20, 9);
  EXPECT_EQ(validator.Accept(plan).value().recomputed[20].token, 9);
}

// Also those of positions that a plan would run again, and of sequences that it
// would release.
TEST(TokenBlocksTest, ARefusedPlanLeavesTheIdsOfPositions) {
  PlanValidator validator(RecomputingLimits());
  const StepPlan first = TokensPlan();
  ASSERT_THAT(validator.Accept(first), IsOk());
  const SequenceId id = first.sequences[0].sequence;
  const auto ids = [&validator, id] {
    const absl::Span<const int32_t> span = validator.table().Tokens(id);
    return std::vector<int32_t>(span.begin(), span.end());
  };
  ASSERT_EQ(ids(), first.sequences[0].new_tokens);

  StepPlan again = first;
  again.table_updates.clear();
  for (int32_t& token : again.sequences[0].new_tokens) ++token;
  StepPlan refused = again;
  refused.conversions = {{.sequence = SequenceId(99)}};
  EXPECT_FALSE(validator.Accept(refused).ok());
  EXPECT_EQ(ids(), first.sequences[0].new_tokens);
  StepPlan release = {.released = {id, SequenceId(99)}};
  EXPECT_FALSE(validator.Accept(release).ok());
  EXPECT_EQ(ids(), first.sequences[0].new_tokens);

  EXPECT_THAT(validator.Accept(again), IsOk());
  EXPECT_EQ(ids(), again.sequences[0].new_tokens);
  release.released = {id};
  EXPECT_THAT(validator.Accept(release), IsOk());
  EXPECT_THAT(ids(), IsEmpty());
}

TEST(TokenBlocksTest, RefusesTokensThatDoNotFit) {
  const auto invalid = absl::StatusCode::kInvalidArgument;
  const auto accept = [](const std::function<void(StepPlan&)>& spoil) {
    PlanValidator validator(RecomputingLimits());
    StepPlan plan = TokensPlan();
    spoil(plan);
    return validator.Accept(plan).status();
  };
  EXPECT_THAT(accept([](StepPlan&) {}), IsOk());
  EXPECT_THAT(accept([](StepPlan& plan) {
                plan.table_updates = {
                    FullTable(1, {kTokenBlock, Kv(0, 1), kTokenBlock})};
              }),
              StatusIs(invalid, "after one of another kind"));
  EXPECT_THAT(accept([](StepPlan& plan) {
                BlockRef block = kTokenBlock;
                block.first = HalfSlot(3);
                plan.table_updates = {FullTable(1, {block, kTokenBlock})};
              }),
              StatusIs(invalid, "names half-slots"));
  EXPECT_THAT(accept([](StepPlan& plan) {
                plan.schedule = static_cast<StepSchedule>(9);
              }),
              StatusIs(invalid, "schedule"));

  StepLimits limits = RecomputingLimits();
  limits.max_recomputed_rows = 16;
  PlanValidator validator(limits);
  ASSERT_THAT(validator.Accept(TokensPlan()), IsOk());
  StepPlan plan;
  plan.sequences = {
      {.sequence = SequenceId(1), .num_cached = 20, .num_new = 1}};
  plan.mini_batches = {{.sequences = {0}}};
  EXPECT_THAT(validator.Accept(plan),
              StatusIs(invalid, "32 rows to recompute, more than the 16"));
}

}  // namespace
}  // namespace hybridserve
