#include "scheduler/policy/layer_time.h"

#include <limits>
#include <random>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

// An OPT layer of width h at 2 bytes an element, as in PAPER.md 4.1.
CostInputs OptLayer(double h, double bytes_per_second, double flops) {
  return {.link_bytes_per_second = bytes_per_second,
          .flops_per_second = flops,
          .weight_bytes = 24 * h * h,
          .kv_bytes_per_token = 4 * h,
          .act_bytes_per_token = 2 * h,
          .forward_flops_per_token = 24 * h * h,
          .rebuild_flops_per_token = 4 * h * h};
}

// The least step time over a grid of shares.
double BruteForce(const CostInputs& costs, const Capacities& capacities,
                  const Workload& workload, int steps) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i <= steps; ++i) {
    best = std::min(best, PredictLayerTime(costs, capacities, workload,
                                           static_cast<double>(i) / steps)
                              .step());
  }
  return best;
}

// PAPER.md 4.4, written out for OPT.
TEST(BestActRatioTest, IsThePapersClosedForm) {
  const double h = 7168, bw = 24e9, f = 150e12, b = 128, n = 128 * 1024;
  const double expected =
      (24 * h * h / bw + 4 * h * n / bw - 24 * h * h * b / f) /
      (n * (4 * h * h / f + 2 * h / bw));
  ASSERT_GT(expected, 0);
  ASSERT_LT(expected, 1);
  EXPECT_NEAR(BestActRatio(OptLayer(h, bw, f), {}, {n, b}), expected, 1e-12);
}

// The table of PAPER.md 4.4: a* for N to infinity, RTX 4090.
TEST(BestActRatioTest, TendsToTheTabledLimits) {
  const struct {
    double h;
    double limit;
  } rows[] = {{4096, 0.87}, {5120, 0.76}, {7168, 0.61}, {9216, 0.51}};
  for (const auto& row : rows) {
    EXPECT_NEAR(BestActRatio(OptLayer(row.h, 24e9, 150e12), {}, {1e9, 128}),
                row.limit, 0.005)
        << row.h;
  }
}

// All-ACT is best up to N1 tokens and no further (PAPER.md 4.4's last column).
TEST(BestActRatioTest, AllActIsBestUpToN1) {
  const CostInputs costs = OptLayer(7168, 24e9, 150e12);
  EXPECT_EQ(BestActRatio(costs, {}, {65'000, 128}), 1);
  EXPECT_LT(BestActRatio(costs, {}, {65'300, 128}), 1);
}

TEST(BestActRatioTest, NoActWhereComputeBinds) {
  EXPECT_EQ(BestActRatio(OptLayer(4096, 1e15, 1e9), {}, {1000, 16}), 0);
}

TEST(BestActRatioTest, NoActForNoContextOrACacheOnTheDevice) {
  const CostInputs costs = OptLayer(1024, 1e9, 1e12);
  EXPECT_EQ(BestActRatio(costs, {}, {0, 1}), 0);
  // 1,000 tokens are 63 blocks of two half-slots.
  EXPECT_EQ(BestActRatio(costs, {.device_half_slots = 126}, {1000, 4}), 0);
}

TEST(BestActRatioTest, NoActWhereItIsNoSmaller) {
  CostInputs costs = OptLayer(1024, 1e9, 1e12);
  costs.act_bytes_per_token = costs.kv_bytes_per_token;
  EXPECT_EQ(BestActRatio(costs, {}, {1000, 4}), 0);
}

// No more ACT than it takes to keep everything on the device.
TEST(BestActRatioTest, StopsWhereNothingIsLeftOnTheHost) {
  // 1,024 tokens of KV take 128 half-slots; a pool of 96 holds them with half
  // of the blocks as ACT.
  const CostInputs costs = OptLayer(1024, 1e9, 1e18);
  EXPECT_NEAR(BestActRatio(costs, {.device_half_slots = 96}, {1024, 4}), 0.5,
              1e-12);
}

// Property: no share of a fine grid beats the closed form, on any machine.
TEST(BestActRatioTest, NoGridPointIsBetter) {
  std::mt19937 rng(20240917);
  std::uniform_real_distribution<double> exponent(0, 1);
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    CostInputs costs = OptLayer(static_cast<double>(256 * (1 + rng() % 48)),
                                1e8 * std::pow(10.0, 4 * exponent(rng)),
                                1e9 * std::pow(10.0, 6 * exponent(rng)));
    costs.act_bytes_per_token *= 0.5 + exponent(rng);
    costs.weight_bytes *= exponent(rng);
    const Capacities capacities = {.device_half_slots =
                                       static_cast<int64_t>(rng() % 3 * 1000)};
    const Workload workload = {
        .context_tokens = static_cast<double>(1 + rng() % 200'000),
        .sequences = static_cast<double>(1 + rng() % 256)};
    const double ratio = BestActRatio(costs, capacities, workload);
    ASSERT_GE(ratio, 0);
    ASSERT_LE(ratio, 1);
    const double time =
        PredictLayerTime(costs, capacities, workload, ratio).step();
    EXPECT_LE(time, BruteForce(costs, capacities, workload, 1000) * (1 + 1e-9));
    // And no smaller share is as good.
    if (ratio > 1e-3) {
      EXPECT_LT(
          time,
          PredictLayerTime(costs, capacities, workload, ratio * 0.99).step());
    }
  }
}

}  // namespace
}  // namespace hybridserve
