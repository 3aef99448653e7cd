#include "worker/offload/logit_change_builder.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kVocabulary = 10;

TEST(LogitChangeBuilderTest, OutputAloneLosesPresenceAndFrequency) {
  LogitChangeBuilder builder(kVocabulary);
  const std::vector<int32_t> tokens = {1, 1, 2, /*output:*/ 2, 3, 2, 0};
  EXPECT_THAT(
      builder.Build(tokens, 3,
                    {.presence_penalty = 0.5, .frequency_penalty = 0.25}),
      ElementsAre(LogitChange{2, true, -1.0F}, LogitChange{3, true, -0.75F},
                  LogitChange{0, true, -0.75F}));
}

TEST(LogitChangeBuilderTest, RepetitionTakesThePromptToo) {
  LogitChangeBuilder builder(kVocabulary);
  const std::vector<int32_t> tokens = {1, 1, 2, /*output:*/ 2, 3};
  EXPECT_THAT(builder.Build(tokens, 3, {.repetition_penalty = 1.5}),
              ElementsAre(LogitChange{1, true, 0}, LogitChange{2, true, 0},
                          LogitChange{3, true, 0}));
  EXPECT_THAT(
      builder.Build(tokens, 3,
                    {.presence_penalty = -1, .repetition_penalty = 1.5}),
      ElementsAre(LogitChange{1, true, 0}, LogitChange{2, true, 1},
                  LogitChange{3, true, 1}));
}

TEST(LogitChangeBuilderTest, BiasesTakeEveryIdAndAddUp) {
  LogitChangeBuilder builder(kVocabulary);
  const std::vector<int32_t> tokens = {1, /*output:*/ 2};
  const std::vector<LogitBias> biases = {{2, 5}, {7, -100}};
  EXPECT_THAT(
      builder.Build(tokens, 1, {.logit_bias = biases}),
      ElementsAre(LogitChange{2, false, 5}, LogitChange{7, false, -100}));
  EXPECT_THAT(
      builder.Build(tokens, 1, {.presence_penalty = 1, .logit_bias = biases}),
      ElementsAre(LogitChange{2, true, 4}, LogitChange{7, false, -100}));
}

TEST(LogitChangeBuilderTest, CallsLeaveNothingBehind) {
  LogitChangeBuilder builder(kVocabulary);
  const std::vector<int32_t> output = {4, 4, 9};
  const SamplingParams params = {.frequency_penalty = 1,
                                 .logit_bias = {{3, 1}}};
  const auto first = builder.Build(output, 0, params);
  EXPECT_THAT(first,
              ElementsAre(LogitChange{4, true, -2}, LogitChange{9, true, -1},
                          LogitChange{3, false, 1}));
  EXPECT_EQ(builder.Build(output, 0, params), first);
}

TEST(LogitChangeBuilderTest, NothingCameUp) {
  LogitChangeBuilder builder(kVocabulary);
  EXPECT_THAT(builder.Build({}, 0, {.repetition_penalty = 2}), IsEmpty());
  const std::vector<int32_t> prompt = {5, 6};
  EXPECT_THAT(builder.Build(prompt, 2, {.presence_penalty = 1}), IsEmpty());
}

}  // namespace
}  // namespace hybridserve
