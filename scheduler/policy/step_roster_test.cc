#include "scheduler/policy/step_roster.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr RosterLimits kLimits = {.max_step_tokens = 100,
                                  .max_logit_rows = 10,
                                  .prefill_chunk_tokens = 64,
                                  .staging_half_slots = 1000};

// Host KV blocks of 16 positions.
BlockCounts HostKv(int64_t positions) {
  const int64_t blocks = (positions + 15) / 16;
  return {.kv_host = static_cast<double>(blocks)};
}

SequenceView Decode() {
  return {
      .num_cached = 10, .num_ready = 1, .samples = true, .cached = HostKv(10)};
}

SequenceView Prompt(int64_t num_ready, int64_t num_cached = 0) {
  return {.num_cached = num_cached,
          .num_ready = num_ready,
          .is_prefill = true,
          .samples = true,
          .cached = HostKv(num_cached)};
}

// "index:num_new ..." and "| " before each mini-batch.
std::string Form(RosterLimits limits, std::vector<SequenceView> sequences) {
  const StepRoster roster =
      FormRoster({.limits = limits, .sequences = std::move(sequences)});
  std::string text;
  for (const MiniBatch& batch : roster.mini_batches) {
    absl::StrAppend(&text, "|");
    for (const int32_t i : batch.sequences) {
      absl::StrAppend(&text, " ", roster.entries[i].index, ":",
                      roster.entries[i].num_new);
    }
  }
  return text;
}

TEST(FormRosterTest, DecodesFirstThenPromptsOldestFirst) {
  EXPECT_EQ(Form(kLimits, {Prompt(50), Decode(), Prompt(30), Decode()}),
            "| 1:1 3:1 0:50 2:14");
}

TEST(FormRosterTest, AWaitingSequenceRunsNothing) {
  SequenceView waiting = Decode();
  waiting.num_ready = 0;
  EXPECT_EQ(Form(kLimits, {waiting, Decode()}), "| 1:1");
  EXPECT_EQ(Form(kLimits, {waiting}), "");
}

TEST(FormRosterTest, AChunkOfALongPrompt) {
  EXPECT_EQ(Form(kLimits, {Prompt(1000)}), "| 0:64");
  EXPECT_EQ(Form(kLimits, {Prompt(936, 64)}), "| 0:64");
  RosterLimits narrow = kLimits;
  narrow.max_step_tokens = 3;
  EXPECT_EQ(Form(narrow, {Decode(), Prompt(1000)}), "| 0:1 1:2");
}

TEST(FormRosterTest, FewerPromptRowsOnRequest) {
  const StepSnapshot snapshot = {.limits = kLimits,
                                 .sequences = {Decode(), Prompt(1000)}};
  EXPECT_EQ(FormRoster(snapshot, 20).entries[1].num_new, 20);
  EXPECT_EQ(FormRoster(snapshot, 1000).entries[1].num_new, 64);
}

TEST(FormRosterTest, ThePromptsLastRowWaitsForALogitRow) {
  RosterLimits narrow = kLimits;
  narrow.max_logit_rows = 1;
  EXPECT_EQ(Form(narrow, {Decode(), Prompt(5), Prompt(1)}), "| 0:1 1:4");
}

TEST(FormRosterTest, AScoredPromptNeedsNoLogitRow) {
  RosterLimits narrow = kLimits;
  narrow.max_logit_rows = 1;
  SequenceView score = Prompt(5);
  score.samples = false;
  EXPECT_EQ(Form(narrow, {Decode(), score}), "| 0:1 1:5");
}

TEST(FormRosterTest, MiniBatchesStageTheBlocksOfCachedPositions) {
  RosterLimits narrow = kLimits;
  narrow.staging_half_slots = 8;  // Four blocks.
  // 33 cached positions are three blocks, 32 two, none none.
  EXPECT_EQ(
      Form(narrow, {Prompt(1, 33), Prompt(1, 32), Prompt(1, 32), Prompt(50)}),
      "| 0:1 3:50| 1:1 2:1");
}

// Two sequences of KV, which loads, and two of ACT on the device, which
// rebuilds: one of each in a mini-batch.
TEST(FormRosterTest, MiniBatchesEvenOutLinkAndCompute) {
  const BlockCounts kv = {.kv_host = 1};
  const BlockCounts act = {.act_device = 1};
  StepSnapshot snapshot = {.limits = kLimits,
                           .costs = {.load_kv = 1, .rebuild = 1}};
  snapshot.limits.staging_half_slots = 5;
  for (const BlockCounts& cached : {kv, kv, act, act}) {
    snapshot.sequences.push_back(Decode());
    snapshot.sequences.back().cached = cached;
  }
  const StepRoster roster = FormRoster(snapshot);
  ASSERT_EQ(roster.mini_batches.size(), 2U);
  EXPECT_EQ(roster.mini_batches[0].sequences, (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(roster.mini_batches[1].sequences, (std::vector<int32_t>{1, 3}));
}

}  // namespace
}  // namespace hybridserve
