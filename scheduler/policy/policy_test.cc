#include "scheduler/policy/policy.h"

#include <limits>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::HasSubstr;

CostInputs Costs() {
  return {.link_bytes_per_second = 1e9,
          .flops_per_second = 1e12,
          .weight_bytes = 24e6,
          .kv_bytes_per_token = 4000,
          .act_bytes_per_token = 2000,
          .forward_flops_per_token = 24e6,
          .rebuild_flops_per_token = 4e6};
}

double ActRatio(absl::string_view name, std::optional<double> act_ratio,
                const CostInputs& costs) {
  const auto policy = ParsePolicy(name, act_ratio).value();
  EXPECT_EQ(policy->name(), name);
  const double ratio = policy->ChooseMix(costs, {}, {100'000, 64}).act_ratio;
  EXPECT_LE(ratio, policy->MaxActRatio(costs));
  return ratio;
}

TEST(ParsePolicyTest, TheBuiltOnes) {
  EXPECT_EQ(ActRatio("kv", std::nullopt, Costs()), 0);
  EXPECT_EQ(ActRatio("act", std::nullopt, Costs()), 1);
  EXPECT_EQ(ActRatio("hybrid", 0.37, Costs()), 0.37);
  // (424 - 1.536) / (100,000 * (0.004 + 0.002)), in ms.
  EXPECT_NEAR(ActRatio("hybrid", std::nullopt, Costs()), 422.464 / 600, 1e-9);
}

TEST(ParsePolicyTest, NoActWhereItDoesNotPay) {
  CostInputs costs = Costs();
  costs.act_pays = false;
  EXPECT_EQ(ActRatio("act", std::nullopt, costs), 0);
  EXPECT_EQ(ActRatio("hybrid", 0.5, costs), 0);
  EXPECT_EQ(ActRatio("hybrid", std::nullopt, costs), 0);
  EXPECT_THAT(ParsePolicy("act", std::nullopt)
                  .value()
                  ->ChooseMix(costs, {}, {1, 1})
                  .reason,
              HasSubstr("no smaller than K and V"));
}

TEST(ParsePolicyTest, HybridSaysWhy) {
  const auto policy = ParsePolicy("hybrid", std::nullopt).value();
  CostInputs costs = Costs();
  EXPECT_THAT(policy->ChooseMix(costs, {}, {100'000, 64}).reason,
              HasSubstr("balanced"));
  EXPECT_THAT(policy->ChooseMix(costs, {}, {100, 1}).reason,
              HasSubstr("the link binds"));
  costs.link_bytes_per_second = std::numeric_limits<double>::infinity();
  EXPECT_EQ(policy->ChooseMix(costs, {}, {100'000, 64}).act_ratio, 0);
  EXPECT_THAT(policy->ChooseMix(costs, {}, {100'000, 64}).reason,
              HasSubstr("one memory"));
  costs = Costs();
  costs.flops_per_second = 0;
  EXPECT_EQ(policy->ChooseMix(costs, {}, {100'000, 64}).act_ratio, 0);
  EXPECT_THAT(policy->ChooseMix(costs, {}, {100'000, 64}).reason,
              HasSubstr("no rates"));
}

TEST(ParsePolicyTest, TheOthersAreNotBuiltYet) {
  for (const char* name : {"recompute", "flexgen", "resident"}) {
    EXPECT_THAT(ParsePolicy(name, std::nullopt),
                StatusIs(absl::StatusCode::kUnimplemented, name));
  }
}

TEST(ParsePolicyTest, RefusesWhatMakesNoSense) {
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(ParsePolicy("", std::nullopt), StatusIs(invalid, "--policy="));
  EXPECT_THAT(ParsePolicy("KV", std::nullopt), StatusIs(invalid, "KV"));
  EXPECT_THAT(ParsePolicy("hybrid", 1.5), StatusIs(invalid, "--act_ratio=1.5"));
  EXPECT_THAT(ParsePolicy("hybrid", -0.1), StatusIs(invalid, "--act_ratio"));
  EXPECT_THAT(ParsePolicy("hybrid", std::numeric_limits<double>::quiet_NaN()),
              StatusIs(invalid, "--act_ratio"));
  EXPECT_THAT(ParsePolicy("kv", 0.5), StatusIs(invalid, "--policy=kv means 0"));
  EXPECT_THAT(ParsePolicy("act", 0.0), StatusIs(invalid, "means 1"));
  EXPECT_THAT(ParsePolicy("act", 1.0), IsOk());
}

}  // namespace
}  // namespace hybridserve
