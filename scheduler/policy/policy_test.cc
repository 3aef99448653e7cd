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

TEST(ParsePolicyTest, RecomputeKeepsLessAndComputesMore) {
  CostModel costs = Costs();
  costs.shape.recomputed_tokens = 1 << 30;
  const auto mix_of = [&costs](double ratio) {
    const auto policy =
        ParsePolicy("recompute", std::nullopt, {.recompute_ratio = ratio})
            .value();
    EXPECT_EQ(policy->recompute_ratio(), ratio);
    return policy->ChooseMix(costs, kCapacities, kWorkload);
  };
  const CacheMix none = mix_of(0);
  EXPECT_DOUBLE_EQ(none.chosen.time.link, none.kv.time.link);
  double link = none.chosen.time.link;
  double compute = none.chosen.time.compute;
  for (const double ratio : {0.25, 0.5, 1.0}) {
    const MixPoint point = mix_of(ratio).chosen;
    EXPECT_EQ(point.sequences, 64);
    EXPECT_NEAR(point.blocks.tokens, 100'032 * ratio, 64);
    EXPECT_LT(point.time.link, link);
    EXPECT_GT(point.time.compute, compute);
    link = point.time.link;
    compute = point.time.compute;
  }
  EXPECT_DOUBLE_EQ(link, 24e6 * 1e-9);  // The weights alone.
  // What the worker can't recompute is kept; what then doesn't fit waits.
  costs.shape.recomputed_tokens = int64_t{64} * 160;
  EXPECT_EQ(mix_of(1).chosen.sequences, 1);
  EXPECT_EQ(ParsePolicy("recompute", std::nullopt).value()->recompute_ratio(),
            0.25);
}

TEST(ParsePolicyTest, FlexGenKeepsItsShareOnTheDevice) {
  const Capacities capacities = {.device_half_slots = 40'000,
                                 .host_half_slots = 1 << 20};
  const auto policy = [](absl::string_view percents) {
    return ParsePolicy("flexgen", std::nullopt,
                       {.percents = ParseFlexGenPercents(percents).value()})
        .value();
  };
  const CacheMix mix =
      policy("20,80,10,90,100,0")->ChooseMix(Costs(), capacities, kWorkload);
  EXPECT_EQ(mix.act_ratio, 0);
  EXPECT_TRUE(mix.bounds_device);
  EXPECT_DOUBLE_EQ(mix.chosen.blocks.kv_device, 10'003);
  EXPECT_EQ(mix.chosen.blocks.total(), 100'032);
  EXPECT_TRUE(mix.chosen.time.zig_zag);
  EXPECT_THAT(mix.reason, HasSubstr("20,80,10,90,100,0"));
  EXPECT_EQ(policy("0,100,0,100,0,100")->schedule(), StepSchedule::kZigZag);
  EXPECT_EQ(policy("35,65,0,100,0,100")->resident_weights(), 35);
  EXPECT_FALSE(policy("0,100,0,100,0,100")->unpinned_cache());
  EXPECT_TRUE(ParsePolicy("flexgen", std::nullopt, {.relay = true})
                  .value()
                  ->unpinned_cache());
  // Without percents FlexGen's search fills the device.
  const CacheMix searched =
      ParsePolicy("flexgen", std::nullopt)
          .value()
          ->ChooseMix(Costs(),
                      {.device_half_slots = 400, .host_half_slots = 1 << 20},
                      kWorkload);
  EXPECT_EQ(searched.chosen.sequences, 64);
  EXPECT_DOUBLE_EQ(searched.chosen.blocks.kv_device, 200);
  EXPECT_THAT(searched.reason, HasSubstr("by its own model"));
}

// A worker of one layer's type of matrices, half of it resident.
WorkerInfo HalfResident() {
  WorkerInfo worker;
  worker.numerics.block_tokens = 16;
  worker.pools = {{.tier = Tier::kDevice, .half_slots = 20},
                  {.tier = Tier::kHost, .half_slots = 100}};
  worker.layer_bytes = 1000;
  worker.streamed_layer_bytes = 500;
  worker.streamed_head_bytes = 70;
  worker.profile.link_bytes_per_second = 1e9;
  return worker;
}

TEST(CheckWorkerTest, SaysWhatIsMissing) {
  const auto invalid = absl::StatusCode::kInvalidArgument;
  ModelConfig config;
  config.num_layers = 3;
  WorkerInfo worker = HalfResident();
  const auto check = [&](absl::string_view name,
                         const PolicyParameters& parameters = {}) {
    return ParsePolicy(name, std::nullopt, parameters)
        .value()
        ->CheckWorker(worker, config);
  };
  const auto flexgen = [&](absl::string_view percents) {
    return check("flexgen",
                 {.percents = ParseFlexGenPercents(percents).value()});
  };
  for (const char* name : {"kv", "act", "hybrid", "flexgen"}) {
    EXPECT_THAT(check(name), IsOk()) << name;
  }
  EXPECT_THAT(check("resident"), StatusIs(invalid, "1570 bytes"));
  EXPECT_THAT(check("recompute"), StatusIs(invalid, "--recompute_tokens"));
  EXPECT_THAT(check("recompute", {.recompute_ratio = 0}), IsOk());
  EXPECT_THAT(flexgen("50,50,0,100,0,100"), IsOk());
  EXPECT_THAT(flexgen("35,65,0,100,0,100"), IsOk());
  EXPECT_THAT(flexgen("0,100,0,100,0,100"),
              StatusIs(invalid, "--resident_weights=0"));
  EXPECT_THAT(check("flexgen", {.relay = true}),
              StatusIs(invalid, "--unpinned_cache"));
  EXPECT_THAT(check("flexgen", {.relay = false}), IsOk());
  worker.unpinned_cache = true;
  for (const bool relay : {false, true}) {
    EXPECT_THAT(check("flexgen", {.relay = relay}), IsOk()) << relay;
  }
  worker.max_recomputed_tokens = 16;
  EXPECT_THAT(check("recompute"), IsOk());
  worker.streamed_layer_bytes = worker.streamed_head_bytes = 0;
  EXPECT_THAT(check("resident"), IsOk());
  worker.pools[0].half_slots = 1;
  EXPECT_THAT(check("resident"), StatusIs(invalid, "no device memory"));
}

TEST(UsablePoolsTest, OnlyThoseThatThePolicyMayUse) {
  const auto tiers = [](const std::unique_ptr<Policy>& policy,
                        const WorkerInfo& worker) {
    std::string text;
    for (const PoolInfo& pool : policy->UsablePools(worker)) {
      text += pool.tier == Tier::kDevice ? 'd' : 'h';
    }
    return text;
  };
  const auto flexgen = [](absl::string_view percents) {
    return ParsePolicy("flexgen", std::nullopt,
                       {.percents = ParseFlexGenPercents(percents).value()})
        .value();
  };
  WorkerInfo worker = HalfResident();
  EXPECT_EQ(tiers(ParsePolicy("kv", std::nullopt).value(), worker), "dh");
  EXPECT_EQ(tiers(ParsePolicy("resident", std::nullopt).value(), worker), "d");
  EXPECT_EQ(tiers(flexgen("0,100,0,100,0,100"), worker), "h");
  EXPECT_EQ(tiers(flexgen("0,100,30,70,0,100"), worker), "dh");
  EXPECT_EQ(tiers(flexgen("0,100,100,0,0,100"), worker), "d");
  // One memory: the host's pool is the device's.
  worker.profile.link_bytes_per_second =
      std::numeric_limits<double>::infinity();
  worker.pools = {{.tier = Tier::kHost, .half_slots = 100}};
  EXPECT_EQ(tiers(ParsePolicy("resident", std::nullopt).value(), worker), "h");
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
  EXPECT_THAT(ParsePolicy("recompute", std::nullopt, {.recompute_ratio = 1.5}),
              StatusIs(invalid, "--recompute_ratio=1.5"));
  EXPECT_THAT(ParsePolicy("kv", std::nullopt, {.recompute_ratio = 0.5}),
              StatusIs(invalid, "--recompute_ratio"));
  EXPECT_THAT(ParsePolicy("kv", std::nullopt, {.percents = FlexGenPercents()}),
              StatusIs(invalid, "--percent"));
  EXPECT_THAT(ParsePolicy("resident", 0.5), StatusIs(invalid, "--act_ratio"));
  EXPECT_THAT(ParsePolicy("kv", std::nullopt, {.relay = false}),
              StatusIs(invalid, "--flexgen_relay"));
}

}  // namespace
}  // namespace hybridserve
