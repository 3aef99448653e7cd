#include "scheduler/policy/flexgen_percents.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(FlexGenPercentsTest, ReadsSixNumbers) {
  const FlexGenPercents published = {.weight_gpu = 20,
                                     .weight_cpu = 80,
                                     .cache_gpu = 0,
                                     .cache_cpu = 100,
                                     .act_gpu = 0,
                                     .act_cpu = 100};
  EXPECT_THAT(ParseFlexGenPercents("20,80,0,100,0,100"),
              IsOkAndHolds(published));
  EXPECT_THAT(ParseFlexGenPercents("20 80 0 100 0 100"),
              IsOkAndHolds(published));
  EXPECT_EQ(published.ToString(), "20,80,0,100,0,100");
  EXPECT_THAT(ParseFlexGenPercents("12.5, 87.5, 50, 50, 100, 0"), IsOk());
}

TEST(FlexGenPercentsTest, RefusesTheRestNamingTheFlag) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "0 numbers"},
      {"20,80,0,100,0", "5 numbers"},
      {"20,80,0,100,0,100,0", "7 numbers"},
      {"20,80,0,100,0,much", "\"much\" is no number"},
      {"20,70,0,100,0,100", "10% of the weights would be on disk"},
      {"0,100,0,0,0,100", "100% of the cache would be on disk"},
      {"0,100,0,100,0,0", "100% of the activations would be on disk"},
      {"20,90,0,100,0,100", "20 and 90 of the weights"},
      {"-20,120,0,100,0,100", "of the weights"},
      {"nan,100,0,100,0,100", "of the weights"},
      {"0,100,0,100,50,50", "activations are on two tiers"},
  };
  for (const auto& wrong : cases) {
    EXPECT_THAT(ParseFlexGenPercents(wrong.text),
                StatusIs(absl::StatusCode::kInvalidArgument, wrong.message))
        << wrong.text;
    EXPECT_THAT(ParseFlexGenPercents(wrong.text),
                StatusIs(absl::StatusCode::kInvalidArgument, "--percent="));
  }
}

}  // namespace
}  // namespace hybridserve
