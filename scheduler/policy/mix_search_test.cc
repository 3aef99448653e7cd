#include "scheduler/policy/mix_search.h"

#include <cmath>
#include <limits>
#include <optional>
#include <random>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/decode_prediction.h"
#include "scheduler/policy/policy.h"

namespace hybridserve {
namespace {

// An OPT layer of width h at 2 bytes an element, as in PAPER.md 4.1.
CostModel OptLayer(double h, double bytes_per_second, double flops) {
  CostModel costs;
  costs.shape = {.num_layers = 4,
                 .layer_weight_bytes = 24 * h * h,
                 .kv_bytes_per_token = 4 * h,
                 .act_bytes_per_token = 2 * h,
                 .staging_half_slots = 1 << 30};
  const auto set = [&costs](WorkKind kind, double seconds_per_unit) {
    costs.profile.fits[kind].cost.seconds_per_unit = seconds_per_unit;
  };
  set(WorkKind::kWeights, 1 / bytes_per_second);
  set(WorkKind::kKv, 1 / bytes_per_second);
  set(WorkKind::kAct, 1 / bytes_per_second);
  set(WorkKind::kRebuild, 4 * h * h / flops);
  set(WorkKind::kForward, 24 * h * h / flops);
  return costs;
}

constexpr Capacities kHostOnly = {.host_half_slots = 1 << 24};

double ActRatio(const CostModel& costs, const Capacities& capacities,
                const Workload& workload) {
  const MixPoint point = BestPlacement(costs, capacities, workload, ActShares(),
                                       workload.sequences);
  return point.blocks.act() / point.blocks.total();
}

// PAPER.md 4.4, written out for OPT; off by less than one block of 8,192.
TEST(BestPlacementTest, IsThePapersClosedForm) {
  const double h = 7168, bw = 24e9, f = 150e12, b = 128, n = 128 * 1024;
  const double expected =
      (24 * h * h / bw + 4 * h * n / bw - 24 * h * h * b / f) /
      (n * (4 * h * h / f + 2 * h / bw));
  ASSERT_GT(expected, 0);
  ASSERT_LT(expected, 1);
  EXPECT_NEAR(ActRatio(OptLayer(h, bw, f), kHostOnly, {128, 1024, 1024}),
              expected, 1.0 / 8192);
}

// The table of PAPER.md 4.4: a* for N to infinity, RTX 4090.
TEST(BestPlacementTest, TendsToTheTabledLimits) {
  const struct {
    double h;
    double limit;
  } rows[] = {{4096, 0.87}, {5120, 0.76}, {7168, 0.61}, {9216, 0.51}};
  for (const auto& row : rows) {
    EXPECT_NEAR(
        ActRatio(
            OptLayer(row.h, 24e9, 150e12), kHostOnly,
            {.sequences = 128, .context_tokens = 1e6, .final_tokens = 1e6}),
        row.limit, 0.005)
        << row.h;
  }
}

// All-ACT is best up to N1 tokens and no further (PAPER.md 4.4's last column).
TEST(BestPlacementTest, AllActIsBestUpToN1) {
  const CostModel costs = OptLayer(7168, 24e9, 150e12);
  EXPECT_EQ(ActRatio(costs, kHostOnly, {128, 496, 496}), 1);
  EXPECT_LT(ActRatio(costs, kHostOnly, {128, 528, 528}), 1);
}

TEST(BestPlacementTest, NoActWhereComputeBindsOrNothingIsOnTheHost) {
  EXPECT_EQ(ActRatio(OptLayer(4096, 1e15, 1e9), kHostOnly, {16, 100, 100}), 0);
  EXPECT_EQ(ActRatio(OptLayer(1024, 1e9, 1e12), {.device_half_slots = 128},
                     {4, 256, 256}),
            0);
}

// No more ACT than it takes to keep everything on the device.
TEST(BestPlacementTest, StopsWhereNothingIsLeftOnTheHost) {
  // 64 blocks of KV take 128 half-slots; 96 hold them with half of them ACT.
  EXPECT_EQ(ActRatio(OptLayer(1024, 1e9, 1e18),
                     {.device_half_slots = 96, .host_half_slots = 1000},
                     {4, 256, 256}),
            0.5);
}

// PAPER.md 4.5's footnote: OPT-6.7B, 512 tokens, with a pool of 71.6k ACT
// tokens. All-ACT in the pool would make compute the bottleneck: it is mixed.
TEST(BestPlacementTest, TheDevicePoolIsMixedWhereComputeWouldBind) {
  const Capacities capacities = {.device_half_slots = 71'600 / 16,
                                 .host_half_slots = 1 << 20};
  const MixPoint point = BestPlacement(OptLayer(4096, 24e9, 150e12), capacities,
                                       {128, 512, 512}, ActShares(), 128);
  EXPECT_GT(point.blocks.kv_device, 0);
  EXPECT_GT(point.blocks.act_device, 0);
  EXPECT_EQ(point.time.binds(), "balanced");
}

TEST(BestPlacementTest, WhatDoesNotFitIsNothing) {
  const CostModel costs = OptLayer(1024, 1e9, 1e12);
  const Capacities capacities = {.device_half_slots = 1, .host_half_slots = 2};
  const auto fits = [&](double tokens, ActShares shares) {
    return BestPlacement(costs, capacities, {1, tokens, tokens}, shares, 1)
               .sequences == 1;
  };
  EXPECT_TRUE(fits(48, {}));  // Three ACT blocks.
  EXPECT_FALSE(fits(64, {}));
  EXPECT_TRUE(fits(16, {0, 0}));   // One KV block.
  EXPECT_FALSE(fits(32, {0, 0}));  // The odd half-slot is no use.
  EXPECT_TRUE(fits(32, {0.5, 0.5}));
}

TEST(BestMixTest, MoreSequencesShareTheWeights) {
  const CostModel costs = OptLayer(1024, 1e9, 1e12);
  const MixPoint point = BestMix(costs, kHostOnly, {40, 256, 320}, ActShares());
  EXPECT_EQ(point.sequences, 40);
  // KV alone, room for 64 blocks: three sequences of twenty.
  EXPECT_EQ(BestMix(costs, {.host_half_slots = 128}, {40, 256, 320}, {0, 0})
                .sequences,
            3);
}

TEST(BestMixTest, AStepTimeBoundsTheSequences) {
  const CostModel costs = OptLayer(1024, 1e9, 1e12);
  Workload workload = {40, 256, 320};
  const double all =
      BestMix(costs, kHostOnly, workload, ActShares()).time.step();
  workload.max_step_time = absl::Seconds(all * 0.9);
  const MixPoint point = BestMix(costs, kHostOnly, workload, ActShares());
  EXPECT_LE(point.time.step(), all * 0.9);
  EXPECT_LT(point.sequences, 40);
  EXPECT_GT(PredictDecode(costs, workload, point.sequences + 1,
                          BestPlacement(costs, kHostOnly, workload, ActShares(),
                                        point.sequences + 1)
                              .blocks)
                .step(),
            all * 0.9);
  workload.max_step_time = absl::Nanoseconds(1);
  EXPECT_EQ(BestMix(costs, kHostOnly, workload, ActShares()).sequences, 1);
}

// With resident weights nothing is shared: sequences that spill over the link
// only slow down those that fit on the device.
TEST(BestMixTest, RunsNoMoreThanPays) {
  CostModel costs = OptLayer(1024, 1e9, 1e12);
  costs.shape.layer_weight_bytes = 0;
  costs.shape.act_pays = false;
  const Capacities capacities = {.device_half_slots = 400,
                                 .host_half_slots = 4000};
  const Workload workload = {40, 320, 320};
  const MixPoint point = BestMix(costs, capacities, workload, {0, 0});
  EXPECT_EQ(point.sequences, 10);
  EXPECT_EQ(point.blocks.kv_host, 0);
  EXPECT_EQ(MaxSequences(costs, capacities, workload, point), 10);
  // Where memory is the bound there is no other.
  const Capacities device_only = {.device_half_slots = 400};
  EXPECT_EQ(MaxSequences(costs, device_only, workload,
                         BestMix(costs, device_only, workload, {0, 0})),
            INT64_MAX);
}

class RandomInstance {
 public:
  explicit RandomInstance(uint32_t seed) : rng_(seed) {}

  double Real(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(rng_);
  }
  int64_t Whole(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(rng_);
  }
  // Spread evenly over orders of magnitude.
  double Rate(double low, double high) {
    return low * std::pow(high / low, Real(0, 1));
  }

  void Make(int64_t sequences, int64_t blocks_per_sequence) {
    const double h = 64 * static_cast<double>(Whole(1, 64));
    costs = OptLayer(h, Rate(1e8, 1e11), Rate(1e10, 1e15));
    costs.shape.layer_weight_bytes *= 0.5 * static_cast<double>(Whole(0, 2));
    costs.shape.act_bytes_per_token *= Real(0.5, 1.9);
    costs.shape.head_weight_bytes = costs.shape.layer_weight_bytes;
    const double layer = costs.shape.layer_weight_bytes / 1e10 + 1e-4;
    for (const WorkKind kind : kAllWorkKinds) {
      LinearCost& cost = costs.profile.fits[kind].cost;
      if (Whole(0, 1) == 0) cost.fixed = absl::Seconds(layer * Rate(1e-4, 0.3));
      cost.seconds_per_unit *= Real(0.7, 1.4);
    }
    if (Whole(0, 1) == 0) {
      costs.profile.fits[WorkKind::kWriteBack].cost.seconds_per_unit =
          costs.profile.cost(WorkKind::kKv).seconds_per_unit * Rate(0.1, 100);
    }
    workload.sequences = sequences;
    workload.final_tokens = static_cast<double>(16 * blocks_per_sequence);
    workload.context_tokens = workload.final_tokens * Real(0.3, 1);
    const int64_t all = 2 * sequences * blocks_per_sequence;
    capacities = {.device_half_slots = Whole(0, all * 2 / 3),
                  .host_half_slots = Whole(all / 3, all)};
    costs.shape.staging_half_slots = Whole(3 * blocks_per_sequence, 2 * all);
  }

  CostModel costs;
  Capacities capacities;
  Workload workload;

 private:
  std::mt19937 rng_;
};

// The least time per token over every `step`-th number of ACT blocks and of
// blocks of each kind on the device, and the last ones; sequences of every
// number up to the workload's, or that number alone. Of steps within
// max_step_time; where there is none, of one sequence.
double BruteForce(const RandomInstance& in, int64_t step, bool all_sequences,
                  ActShares shares = {}) {
  const double limit = absl::ToDoubleSeconds(in.workload.max_step_time);
  double best = std::numeric_limits<double>::infinity();
  double best_alone = best;
  const auto next = [step](int64_t i, int64_t last) {
    return i < last ? std::min(i + step, last) : last + 1;
  };
  for (int64_t b = all_sequences ? 1 : in.workload.sequences;
       b <= in.workload.sequences; ++b) {
    const int64_t n = b * BlocksPerSequence(in.costs, in.workload);
    for (int64_t act = 0; act <= n; act = next(act, n)) {
      const double share = static_cast<double>(act) / static_cast<double>(n);
      if (share < shares.least || share > shares.most) continue;
      const int64_t kv = n - act;
      for (int64_t kd = 0; kd <= kv; kd = next(kd, kv)) {
        for (int64_t ad = 0; ad <= act; ad = next(ad, act)) {
          if (2 * kd + ad > in.capacities.device_half_slots) break;
          if (2 * (kv - kd) + act - ad > in.capacities.host_half_slots) {
            continue;
          }
          const BlockCounts blocks = {
              static_cast<double>(kd), static_cast<double>(kv - kd),
              static_cast<double>(ad), static_cast<double>(act - ad)};
          const double time =
              PredictDecode(in.costs, in.workload, b, blocks).step();
          if (b == 1) best_alone = std::min(best_alone, time);
          if (time > limit) continue;
          best = std::min(best, time / static_cast<double>(b));
        }
      }
    }
  }
  return std::isfinite(best) ? best : best_alone;
}

void ExpectFits(const RandomInstance& in, const MixPoint& point) {
  const BlockCounts& blocks = point.blocks;
  for (const double count :
       {blocks.kv_device, blocks.kv_host, blocks.act_device, blocks.act_host}) {
    EXPECT_GE(count, 0);
    EXPECT_EQ(count, std::round(count));
  }
  EXPECT_LE(2 * blocks.kv_device + blocks.act_device,
            static_cast<double>(in.capacities.device_half_slots));
  EXPECT_LE(2 * blocks.kv_host + blocks.act_host,
            static_cast<double>(in.capacities.host_half_slots));
  EXPECT_EQ(blocks.total(),
            static_cast<double>(point.sequences *
                                BlocksPerSequence(in.costs, in.workload)));
}

// Property: what policy hybrid chooses is within 0.6% (0.5% goes to running
// more sequences) of every number of sequences and every whole placement, 1,000
// small instances; some with a bound on the step's time, some of models whose
// ACT does not pay.
TEST(ChooseMixTest, NoWholePlacementIsBetter) {
  const auto hybrid = ParsePolicy("hybrid", std::nullopt).value();
  RandomInstance in(20240917);
  int feasible = 0;
  int mixed = 0;
  int bounded = 0;
  for (int round = 0; round < 1000; ++round) {
    SCOPED_TRACE(round);
    in.Make(in.Whole(1, 4), in.Whole(1, 6));
    in.costs.shape.act_pays = in.Whole(0, 7) > 0;
    const ActShares shares = {.most = in.costs.shape.act_pays ? 1.0 : 0.0};
    in.workload.max_step_time = absl::InfiniteDuration();
    const MixPoint unbounded =
        BestMix(in.costs, in.capacities, in.workload, shares);
    if (unbounded.sequences > 0 && in.Whole(0, 2) == 0) {
      in.workload.max_step_time =
          absl::Seconds(unbounded.time.step() * in.Real(0.3, 1.2));
    }
    const double expected = BruteForce(in, 1, true, shares);
    const CacheMix mix =
        hybrid->ChooseMix(in.costs, in.capacities, in.workload);
    const MixPoint& point = mix.chosen;
    ASSERT_EQ(point.sequences > 0, std::isfinite(expected));
    if (point.sequences == 0) continue;
    ++feasible;
    mixed +=
        point.blocks.act() > 0 && point.blocks.act() < point.blocks.total();
    bounded += point.sequences < unbounded.sequences ? 1 : 0;
    ExpectFits(in, point);
    EXPECT_EQ(mix.act_ratio, point.blocks.act() / point.blocks.total());
    EXPECT_LE(point.seconds_per_token(), expected * 1.006);
    EXPECT_GE(point.seconds_per_token(), expected * (1 - 1e-9));
  }
  EXPECT_GT(feasible, 700);
  EXPECT_GT(mixed, 200);
  EXPECT_GT(bounded, 50);
}

// Property: 300 instances of up to 9,600 blocks; no point of a grid of 24 steps
// in each of the three dimensions is better by 1e-6, for this many sequences.
TEST(BestMixTest, NoGridPointIsBetterAtScale) {
  RandomInstance in(7);
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    in.Make(in.Whole(4, 150), in.Whole(4, 64));
    const int64_t n =
        in.workload.sequences * BlocksPerSequence(in.costs, in.workload);
    const double expected = BruteForce(in, std::max<int64_t>(n / 24, 1), false);
    if (!std::isfinite(expected)) continue;
    const MixPoint point = BestPlacement(in.costs, in.capacities, in.workload,
                                         ActShares(), in.workload.sequences);
    ASSERT_GT(point.sequences, 0);
    ExpectFits(in, point);
    EXPECT_LE(point.seconds_per_token(), expected * (1 + 1e-6));
  }
}

// Property: one kind alone is a point of the space, so never better.
TEST(BestMixTest, IsNeverWorseThanOneKind) {
  RandomInstance in(11);
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    in.Make(in.Whole(1, 100), in.Whole(1, 64));
    const MixPoint best =
        BestMix(in.costs, in.capacities, in.workload, ActShares());
    for (const double share : {0.0, 1.0, 0.5}) {
      const MixPoint point =
          BestMix(in.costs, in.capacities, in.workload, {share, share});
      if (point.sequences == 0) continue;
      EXPECT_LE(best.seconds_per_token(), point.seconds_per_token() * 1.006);
    }
  }
}

}  // namespace
}  // namespace hybridserve
