#include "worker/offload/plan_validator.h"

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "common/cache/table_hash.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/testing/small_plans.h"

namespace hybridserve {
namespace {

std::vector<int32_t> Tokens(int count) {
  return std::vector<int32_t>(count, 5);
}

// Two sequences: 20 prompt tokens each, the second in ACT and KV blocks.
StepPlan FirstPlan() {
  StepPlan plan;
  plan.table_updates = {FullTable(1, {Kv(0, 1), Kv(2, 3), Act(4)}),
                        FullTable(2, {Act(5), Kv(0, 1, Tier::kDevice)})};
  plan.sequences = {{.sequence = SequenceId(1),
                     .new_tokens = Tokens(20),
                     .num_new = 20,
                     .sample = true},
                    {.sequence = SequenceId(2),
                     .new_tokens = Tokens(20),
                     .num_new = 20,
                     .sample = true}};
  plan.mini_batches = {{.sequences = {1}}, {.sequences = {0}}};
  return plan;
}

// Both go on with the tokens that they sampled.
StepPlan SecondPlan() {
  StepPlan plan;
  plan.sequences = {
      {.sequence = SequenceId(1), .num_cached = 20, .num_new = 1},
      {.sequence = SequenceId(2), .num_cached = 20, .num_new = 1}};
  plan.mini_batches = {{.sequences = {0, 1}}};
  return plan;
}

TEST(PlanValidatorTest, LaysOutRowsBlocksAndWrites) {
  PlanValidator validator(kSmallLimits);
  const StepLayout first = validator.Accept(FirstPlan()).value();
  EXPECT_EQ(first.num_rows(), 40);
  ASSERT_EQ(first.mini_batches.size(), 2u);
  // Rows go by mini-batch: sequence 2's come first.
  EXPECT_EQ(first.inputs[0].sequence, 1);
  EXPECT_EQ(first.inputs[20].sequence, 0);
  EXPECT_EQ(first.inputs[39].position, 19);
  ASSERT_EQ(first.writes.size(), 4u);
  EXPECT_EQ(first.writes[0].block, Act(5));
  EXPECT_EQ(first.writes[1].block, Kv(0, 1, Tier::kDevice));
  EXPECT_EQ(first.writes[1].num_rows, 4);
  EXPECT_EQ(first.writes[3].first_row, 36);
  EXPECT_EQ(first.samples[0].row, 19);
  EXPECT_EQ(first.samples[0].position, 20);

  const StepLayout second = validator.Accept(SecondPlan()).value();
  EXPECT_TRUE(second.needs_last_tokens);
  const MiniBatchLayout& mini_batch = second.mini_batches[0];
  // ACT 5 is rebuilt, KV 0 and 2 are loaded, the device's KV stays.
  EXPECT_EQ(mini_batch.num_act_blocks, 1);
  EXPECT_EQ(mini_batch.num_loaded_blocks, 2);
  EXPECT_EQ(mini_batch.staged_half_slots(), 7);
  EXPECT_EQ(mini_batch.sequences[1].blocks[0].staging_index, 0);
  EXPECT_EQ(mini_batch.sequences[0].blocks[0].staging_index, 1);
  EXPECT_EQ(mini_batch.sequences[0].blocks[1].num_rows, 4);
  EXPECT_EQ(mini_batch.sequences[1].blocks[1].staging_index, -1);
  EXPECT_EQ(second.writes[0].first_row_in_block, 4);
}

TEST(PlanValidatorTest, OneMemoryReadsHostBlocksInPlace) {
  StepLimits limits = kSmallLimits;
  limits.one_memory = true;
  PlanValidator validator(limits);
  ASSERT_THAT(validator.Accept(FirstPlan()), IsOk());
  const StepLayout layout = validator.Accept(SecondPlan()).value();
  EXPECT_EQ(layout.mini_batches[0].num_loaded_blocks, 0);
  EXPECT_EQ(layout.mini_batches[0].num_act_blocks, 1);
}

TEST(PlanValidatorTest, SlotsMoveBetweenSequencesWithinOnePlan) {
  PlanValidator validator(kSmallLimits);
  ASSERT_THAT(validator.Accept(FirstPlan()), IsOk());
  // 1 goes, 3 takes its half-slots; 2 gives its device block up to 4.
  StepPlan plan;
  plan.released = {SequenceId(1)};
  plan.table_updates = {
      FullTable(3, {Kv(0, 1), Act(2)}),
      FullTable(4, {Kv(0, 1, Tier::kDevice)}),
      {.sequence = SequenceId(2),
       .first_block = 1,
       .blocks = {Kv(6, 7)},
       .table_hash = BlockTableHash(std::vector<BlockRef>{Act(5), Kv(6, 7)})}};
  plan.sequences = {{.sequence = SequenceId(2),
                     .num_cached = 16,
                     .new_tokens = Tokens(4),
                     .num_new = 4}};
  plan.mini_batches = {{.sequences = {0}}};
  EXPECT_THAT(validator.Accept(plan), IsOk());
  EXPECT_EQ(validator.table().Find(SequenceId(1)), nullptr);
  EXPECT_EQ(validator.table().Find(SequenceId(2))->num_written, 20);
}

struct Corruption {
  std::string name;
  std::function<void(StepPlan&)> apply;  // To the second plan.
  absl::StatusCode code = absl::StatusCode::kInvalidArgument;
};

std::vector<Corruption> Corruptions() {
  const auto update = [](const TableUpdate& table) {
    return [table](StepPlan& plan) { plan.table_updates = {table}; };
  };
  return {
      {"UnknownReleased",
       [](StepPlan& plan) { plan.released = {SequenceId(9)}; }},
      {"ReleasedTwice",
       [](StepPlan& plan) {
         plan.released = {SequenceId(1), SequenceId(1)};
       }},
      {"ReleasedAndUsed",
       [](StepPlan& plan) { plan.released = {SequenceId(1)}; }},
      {"SlotInUse", update(FullTable(3, {Kv(0, 8)}))},
      {"SlotTwiceInABlock", update(FullTable(3, {Kv(8, 8)}))},
      {"SlotTwiceInATable", update(FullTable(3, {Kv(8, 9), Act(9)}))},
      {"SlotAboveThePool", update(FullTable(3, {Act(20)}))},
      {"SlotNegative", update(FullTable(3, {Act(-1)}))},
      {"SlotAboveTheDevicePool",
       update(FullTable(3, {Kv(2, 6, Tier::kDevice)}))},
      {"SecondOfAct", update(FullTable(3, {{CacheKind::kAct, Tier::kHost,
                                            HalfSlot(8), HalfSlot(9)}}))},
      {"NoSuchKind",
       update(FullTable(3, {{static_cast<CacheKind>(7), Tier::kHost,
                             HalfSlot(8), HalfSlot(9)}}))},
      {"NoSuchTier", update(FullTable(3, {{CacheKind::kKv, static_cast<Tier>(0),
                                           HalfSlot(8), HalfSlot(9)}}))},
      {"UpdateBeyondTheTable",
       update({.sequence = SequenceId(1), .first_block = 4})},
      {"UpdateNegative",
       update({.sequence = SequenceId(1), .first_block = -1})},
      {"UpdateOfAnUnknownTail",
       update({.sequence = SequenceId(3), .first_block = 1})},
      {"UpdateTwice",
       [](StepPlan& plan) {
         plan.table_updates = {FullTable(3, {Act(8)}), FullTable(3, {Act(9)})};
       }},
      {"WrongHash",
       [](StepPlan& plan) {
         plan.table_updates = {FullTable(3, {Act(8)})};
         ++plan.table_updates[0].table_hash;
       },
       absl::StatusCode::kFailedPrecondition},
      {"LostContents",
       update({.sequence = SequenceId(1),
               .first_block = 0,
               .blocks = {Kv(8, 9), Kv(10, 11)},
               .table_hash = BlockTableHash(
                   std::vector<BlockRef>{Kv(8, 9), Kv(10, 11)})})},
      {"SequenceTwice",
       [](StepPlan& plan) { plan.sequences[1] = plan.sequences[0]; }},
      {"UnknownSequence",
       [](StepPlan& plan) { plan.sequences[0].sequence = SequenceId(9); }},
      {"NoNewRows", [](StepPlan& plan) { plan.sequences[0].num_new = 0; }},
      {"NegativeNewRows",
       [](StepPlan& plan) { plan.sequences[0].num_new = -5; }},
      {"NegativeCached",
       [](StepPlan& plan) { plan.sequences[0].num_cached = -1; }},
      {"CachedBeyondWritten",
       [](StepPlan& plan) { plan.sequences[0].num_cached = 21; }},
      {"LastTokenOfAnotherPosition",
       [](StepPlan& plan) { plan.sequences[0].num_cached = 19; }},
      {"PositionsOverflow",
       [](StepPlan& plan) {
         plan.sequences[0].num_cached = std::numeric_limits<int32_t>::max();
       }},
      {"TooManyPositions",
       [](StepPlan& plan) {
         plan.sequences[0].num_new = 62;
         plan.sequences[0].new_tokens = Tokens(62);
       }},
      {"BeyondTheTable",
       [](StepPlan& plan) {
         plan.sequences[1].num_new = 13;
         plan.sequences[1].new_tokens = Tokens(13);
       }},
      {"TooFewTokens",
       [](StepPlan& plan) {
         plan.sequences[0].num_new = 2;
         plan.sequences[0].new_tokens = Tokens(1);
       }},
      {"TooManyTokens",
       [](StepPlan& plan) { plan.sequences[0].new_tokens = Tokens(2); }},
      {"TokenAboveTheVocabulary",
       [](StepPlan& plan) { plan.sequences[0].new_tokens = {100}; }},
      {"NegativeToken",
       [](StepPlan& plan) { plan.sequences[0].new_tokens = {-1}; }},
      {"TargetAboveTheVocabulary",
       [](StepPlan& plan) { plan.sequences[0].score_targets = {100}; }},
      {"TargetBelowNone",
       [](StepPlan& plan) { plan.sequences[0].score_targets = {-2}; }},
      {"TooManyTargets",
       [](StepPlan& plan) {
         plan.sequences[0].score_targets = {1, 2};
       }},
      {"TemperatureNotANumber",
       [](StepPlan& plan) {
         plan.sequences[0].sampling.temperature = std::nan("");
       }},
      {"NegativeTemperature",
       [](StepPlan& plan) { plan.sequences[0].sampling.temperature = -1; }},
      {"NegativeTopK",
       [](StepPlan& plan) { plan.sequences[0].sampling.top_k = -1; }},
      {"ZeroTopP",
       [](StepPlan& plan) { plan.sequences[0].sampling.top_p = 0; }},
      {"TopPNotANumber",
       [](StepPlan& plan) { plan.sequences[0].sampling.top_p = std::nan(""); }},
      {"PresencePenaltyTooLarge",
       [](StepPlan& plan) {
         plan.sequences[0].sampling.presence_penalty = 2.1;
       }},
      {"FrequencyPenaltyNotANumber",
       [](StepPlan& plan) {
         plan.sequences[0].sampling.frequency_penalty = std::nan("");
       }},
      {"ZeroRepetitionPenalty",
       [](StepPlan& plan) {
         plan.sequences[0].sampling.repetition_penalty = 0;
       }},
      {"RepetitionPenaltyNotFinite",
       [](StepPlan& plan) {
         plan.sequences[0].sampling.repetition_penalty =
             std::numeric_limits<double>::infinity();
       }},
      {"LogitBiasTooLarge",
       [](StepPlan& plan) {
         plan.sequences[0].sampling.logit_bias = {{0, -101}};
       }},
      {"LogitBiasBeyondVocabulary",
       [](StepPlan& plan) {
         plan.sequences[0].sampling.logit_bias = {{1 << 30, 1}};
       }},
      {"LogitBiasTwice",
       [](StepPlan& plan) {
         plan.sequences[0].sampling.logit_bias = {{3, 1}, {3, 1}};
       }},
      {"PromptBeyondItsRows",
       [](StepPlan& plan) {
         plan.sequences[0].sample = true;
         plan.sequences[0].num_prompt = 1 << 20;
       }},
      {"NegativePrompt",
       [](StepPlan& plan) {
         plan.sequences[0].sample = true;
         plan.sequences[0].num_prompt = -1;
       }},
      {"IndexBeyondSequences",
       [](StepPlan& plan) { plan.mini_batches[0].sequences[0] = 2; }},
      {"NegativeIndex",
       [](StepPlan& plan) { plan.mini_batches[0].sequences[0] = -1; }},
      {"IndexTwice",
       [](StepPlan& plan) {
         plan.mini_batches[0].sequences = {0, 0};
       }},
      {"SequenceInNoMiniBatch",
       [](StepPlan& plan) { plan.mini_batches[0].sequences = {0}; }},
      {"EmptyMiniBatch",
       [](StepPlan& plan) { plan.mini_batches.emplace_back(); }},
  };
}

TEST(PlanValidatorTest, RefusesCorruptPlansAndChangesNothing) {
  for (const Corruption& corruption : Corruptions()) {
    SCOPED_TRACE(corruption.name);
    PlanValidator validator(kSmallLimits);
    ASSERT_THAT(validator.Accept(FirstPlan()), IsOk());
    StepPlan corrupt = SecondPlan();
    corruption.apply(corrupt);
    EXPECT_THAT(validator.Accept(corrupt), StatusIs(corruption.code));
    // Nothing has changed: the sound plan still goes, and so do free slots.
    StepPlan sound = SecondPlan();
    sound.table_updates = {FullTable(3, {Kv(8, 9), Act(10)})};
    EXPECT_THAT(validator.Accept(sound), IsOk());
  }
}

TEST(PlanValidatorTest, RefusesAStepTooLong) {
  PlanValidator validator(kSmallLimits);
  StepPlan plan;
  plan.table_updates = {FullTable(1, {Act(0), Act(1), Act(2), Act(3), Act(4)})};
  plan.sequences = {
      {.sequence = SequenceId(1), .new_tokens = Tokens(65), .num_new = 65}};
  plan.mini_batches = {{.sequences = {0}}};
  EXPECT_THAT(validator.Accept(plan),
              StatusIs(absl::StatusCode::kInvalidArgument, "65 new positions"));
}

TEST(PlanValidatorTest, RefusesAMiniBatchThatOverflowsTheStaging) {
  PlanValidator validator(kSmallLimits);
  StepPlan plan;
  plan.table_updates = {FullTable(1, {Act(0), Act(1), Act(2), Act(3)}),
                        FullTable(2, {Act(4), Act(5)})};
  plan.sequences = {
      {.sequence = SequenceId(1), .new_tokens = Tokens(60), .num_new = 60}};
  plan.mini_batches = {{.sequences = {0}}};
  ASSERT_THAT(validator.Accept(plan), IsOk());
  StepPlan next;
  next.sequences = {{.sequence = SequenceId(1),
                     .num_cached = 60,
                     .new_tokens = Tokens(1),
                     .num_new = 1}};
  next.mini_batches = plan.mini_batches;
  // Four ACT blocks take exactly twelve half-slots.
  ASSERT_THAT(validator.Accept(next), IsOk());

  StepPlan second;
  second.sequences = {
      {.sequence = SequenceId(2), .new_tokens = Tokens(1), .num_new = 1}};
  second.mini_batches = plan.mini_batches;
  ASSERT_THAT(validator.Accept(second), IsOk());
  StepPlan both;
  both.sequences = {{.sequence = SequenceId(1),
                     .num_cached = 61,
                     .new_tokens = Tokens(1),
                     .num_new = 1},
                    {.sequence = SequenceId(2),
                     .num_cached = 1,
                     .new_tokens = Tokens(1),
                     .num_new = 1}};
  both.mini_batches = {{.sequences = {0, 1}}};
  EXPECT_THAT(
      validator.Accept(both),
      StatusIs(absl::StatusCode::kInvalidArgument, "stages 15 half-slots"));
  both.mini_batches = {{.sequences = {0}}, {.sequences = {1}}};
  EXPECT_THAT(validator.Accept(both), IsOk());
}

// Property: whatever the numbers in a plan, it is refused or laid out within
// all limits, and a refusal leaves the tables alone.
TEST(PlanValidatorTest, RandomPlansAreRefusedOrFitTheLimits) {
  std::mt19937 rng(20261123);
  const auto draw = [&rng](int low, int high) {
    return low + static_cast<int>(rng() % (high - low + 1));
  };
  PlanValidator validator(kSmallLimits);
  int accepted = 0;
  for (int round = 0; round < 50'000; ++round) {
    SCOPED_TRACE(round);
    StepPlan plan;
    if (draw(0, 3) == 0) plan.released = {SequenceId(draw(1, 4))};
    for (int i = draw(0, 2); i > 0; --i) {
      std::vector<BlockRef> blocks;
      for (int n = draw(0, 3); n > 0; --n) {
        BlockRef block = {static_cast<CacheKind>(draw(1, 2)),
                          static_cast<Tier>(draw(1, 2)), HalfSlot(draw(-1, 20)),
                          HalfSlot(draw(0, 20))};
        if (block.kind == CacheKind::kAct && draw(0, 9) > 0) {
          block.second = HalfSlot(0);
        }
        blocks.push_back(block);
      }
      TableUpdate update = FullTable(draw(1, 4), blocks);
      if (draw(0, 4) == 0) update.first_block = draw(-1, 3);
      plan.table_updates.push_back(update);
    }
    for (int i = draw(0, 2); i > 0; --i) {
      StepSequence sequence = {.sequence = SequenceId(draw(1, 4)),
                               .num_cached = draw(-1, 40),
                               .num_new = draw(0, 30)};
      if (draw(0, 3) > 0) sequence.num_cached = 0;
      sequence.new_tokens = Tokens(sequence.num_new);
      if (draw(0, 4) == 0) sequence.new_tokens.clear();
      sequence.sample = draw(0, 1) == 1;
      plan.mini_batches.push_back(
          {.sequences = {static_cast<int32_t>(plan.sequences.size())}});
      plan.sequences.push_back(sequence);
    }
    const size_t before = validator.table().size();
    const absl::StatusOr<StepLayout> layout = validator.Accept(plan);
    if (!layout.ok()) {
      ASSERT_EQ(validator.table().size(), before);
      continue;
    }
    ++accepted;
    ASSERT_LE(layout->num_rows(), kSmallLimits.max_step_tokens);
    int32_t written = 0;
    for (const WriteRun& run : layout->writes) {
      ASSERT_LE(run.first_row_in_block + run.num_rows,
                kSmallLimits.block_tokens);
      written += run.num_rows;
    }
    ASSERT_EQ(written, layout->num_rows());
    for (const MiniBatchLayout& mini_batch : layout->mini_batches) {
      ASSERT_LE(mini_batch.staged_half_slots(),
                kSmallLimits.staging_half_slots);
    }
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace hybridserve
