#include "scheduler/policy/policy.h"

#include <limits>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::HasSubstr;

// 4,000 bytes of K and V a token and layer over 1 GB/s; 4 us to rebuild it.
CostModel Costs() {
  CostModel costs;
  costs.shape = {.num_layers = 1,
                 .layer_weight_bytes = 24e6,
                 .kv_bytes_per_token = 4000,
                 .act_bytes_per_token = 2000,
                 .staging_half_slots = 1 << 20};
  const auto set = [&costs](WorkKind kind, double seconds_per_unit) {
    costs.profile.fits[kind].cost.seconds_per_unit = seconds_per_unit;
  };
  for (const WorkKind kind :
       {WorkKind::kWeights, WorkKind::kKv, WorkKind::kAct}) {
    set(kind, 1e-9);
  }
  set(WorkKind::kForward, 24e-6);
  set(WorkKind::kRebuild, 4e-6);
  return costs;
}

constexpr Capacities kCapacities = {.host_half_slots = 1 << 20};
// 100,000 blocks.
constexpr Workload kWorkload = {
    .sequences = 64, .context_tokens = 25'000, .final_tokens = 25'000};

double ActRatio(absl::string_view name, std::optional<double> act_ratio,
                const CostModel& costs) {
  const auto policy = ParsePolicy(name, act_ratio).value();
  EXPECT_EQ(policy->name(), name);
  const double ratio =
      policy->ChooseMix(costs, kCapacities, kWorkload).act_ratio;
  EXPECT_LE(ratio, policy->MaxActRatio(costs));
  return ratio;
}

TEST(ParsePolicyTest, TheBuiltOnes) {
  EXPECT_EQ(ActRatio("kv", std::nullopt, Costs()), 0);
  EXPECT_EQ(ActRatio("act", std::nullopt, Costs()), 1);
  EXPECT_EQ(ActRatio("hybrid", 0.37, Costs()), 0.37);
  // PAPER.md 4.4, in ms: (24 + 6400 - 1.536) / (1600 * (4 + 2)), at 1.6 million
  // tokens; a little more, since the last blocks are not full.
  EXPECT_NEAR(ActRatio("hybrid", std::nullopt, Costs()), 6422.464 / 9600, 1e-3);
}

TEST(ParsePolicyTest, NoActWhereItDoesNotPay) {
  CostModel costs = Costs();
  costs.shape.act_pays = false;
  EXPECT_EQ(ActRatio("act", std::nullopt, costs), 0);
  EXPECT_EQ(ActRatio("hybrid", 0.5, costs), 0);
  EXPECT_EQ(ActRatio("hybrid", std::nullopt, costs), 0);
  for (const char* name : {"act", "hybrid"}) {
    EXPECT_THAT(ParsePolicy(name, std::nullopt)
                    .value()
                    ->ChooseMix(costs, kCapacities, kWorkload)
                    .reason,
                HasSubstr("no smaller than K and V"));
  }
}

TEST(ParsePolicyTest, HybridSaysWhy) {
  const auto policy = ParsePolicy("hybrid", std::nullopt).value();
  CostModel costs = Costs();
  const CacheMix mix = policy->ChooseMix(costs, kCapacities, kWorkload);
  EXPECT_THAT(mix.reason, HasSubstr("balanced at 64 sequences"));
  EXPECT_THAT(mix.reason, HasSubstr("(kv 100 with 64 sequences, act 100 with"));
  EXPECT_LT(mix.chosen.time.step(), mix.kv.time.step());
  EXPECT_LT(mix.chosen.time.step(), mix.act.time.step());
  EXPECT_THAT(policy->ChooseMix(costs, kCapacities, {1, 100, 100}).reason,
              HasSubstr("the link binds"));
  // More than fits, even as ACT.
  EXPECT_EQ(
      policy->ChooseMix(costs, {.host_half_slots = 10}, kWorkload).act_ratio,
      1);
  for (const WorkKind kind :
       {WorkKind::kWeights, WorkKind::kKv, WorkKind::kAct}) {
    costs.profile.fits[kind].cost = {};
  }
  const CacheMix one_memory = policy->ChooseMix(costs, kCapacities, kWorkload);
  EXPECT_EQ(one_memory.act_ratio, 0);
  EXPECT_THAT(one_memory.reason, HasSubstr("the compute binds"));
  costs.profile = {};
  EXPECT_EQ(policy->ChooseMix(costs, kCapacities, kWorkload).act_ratio, 0);
  EXPECT_THAT(policy->ChooseMix(costs, kCapacities, kWorkload).reason,
              HasSubstr("no rates"));
}

TEST(ParsePolicyTest, AStepTimeBoundsEveryPolicysSequences) {
  Workload workload = kWorkload;
  workload.max_step_time = absl::Seconds(2);
  for (const char* name : {"kv", "act", "hybrid"}) {
    const auto policy = ParsePolicy(name, std::nullopt).value();
    EXPECT_EQ(policy->ChooseMix(Costs(), kCapacities, kWorkload).max_sequences,
              INT64_MAX);
    const CacheMix mix = policy->ChooseMix(Costs(), kCapacities, workload);
    EXPECT_LT(mix.max_sequences, 32) << name;
    EXPECT_GT(mix.max_sequences, 8) << name;
    EXPECT_LE(mix.chosen.time.step(), 2) << name;
    EXPECT_THAT(mix.reason, HasSubstr("more at a time would be slower"));
  }
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
