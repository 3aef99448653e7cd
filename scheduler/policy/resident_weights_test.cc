#include <algorithm>
#include <cmath>
#include <random>

#include "common/work.h"
#include "gtest/gtest.h"
#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/mix_search.h"
#include "scheduler/policy/step_cost.h"

// Device memory that is left over: weights that stay there, or cache? Workers
// give it to weights first (docs/decisions/0007-resident-weights-first.md).
// These tests hold that against the planner's own cost model.

namespace hybridserve {
namespace {

// OPT of width h at 2 bytes an element behind one link: every byte that crosses
// it takes the same time.
struct Device {
  double hidden = 0;
  double link_bytes_per_second = 0;
  double flops_per_second = 0;
  int64_t left_half_slots = 0;  // Memory to deal out, of one layer.
  int64_t host_half_slots = 0;

  double half_slot_bytes() const { return 16 * 2 * hidden; }
  double layer_bytes() const { return 24 * hidden * hidden; }
  // A layer's weights; no more memory than that can hold weights.
  int64_t weight_half_slots() const {
    return static_cast<int64_t>(layer_bytes() / half_slot_bytes());
  }
};

// What a worker registers that keeps `cached` half-slots of the memory left for
// cache and the rest for weights.
CostModel Costs(const Device& device, int64_t cached) {
  const double h = device.hidden;
  CostModel costs;
  const auto resident = static_cast<double>(device.left_half_slots - cached) *
                        device.half_slot_bytes();
  costs.shape = {
      .num_layers = 4,
      .layer_weight_bytes = std::max(0.0, device.layer_bytes() - resident),
      .kv_bytes_per_token = 4 * h,
      .act_bytes_per_token = 2 * h,
      .staging_half_slots = 1 << 30};
  const auto set = [&costs](WorkKind kind, double seconds_per_unit) {
    costs.profile.fits[kind].cost.seconds_per_unit = seconds_per_unit;
  };
  for (const WorkKind kind :
       {WorkKind::kWeights, WorkKind::kKv, WorkKind::kAct}) {
    set(kind, 1 / device.link_bytes_per_second);
  }
  set(WorkKind::kRebuild, 4 * h * h / device.flops_per_second);
  set(WorkKind::kForward, 24 * h * h / device.flops_per_second);
  return costs;
}

MixPoint Best(const Device& device, const Workload& workload, int64_t cached) {
  return BestMix(
      Costs(device, cached),
      {.device_half_slots = cached, .host_half_slots = device.host_half_slots},
      workload, ActShares());
}

// Property: where the host holds the workload's cache, no split of 3,000 gives
// shorter steps than weights first, by more than a block's copy: half-slots are
// whole. Whether link or compute binds, whatever the mix.
TEST(ResidentWeightsTest, NoSplitIsBetterWhereTheHostHoldsTheCache) {
  std::mt19937 rng(20261123);
  const auto real = [&rng](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(rng);
  };
  int device_full = 0;
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    Device device = {.hidden = 128 * std::floor(real(4, 64)),
                     .link_bytes_per_second = std::pow(10, real(9, 11)),
                     .flops_per_second = std::pow(10, real(11, 15))};
    const auto blocks = static_cast<int64_t>(real(1, 100));
    const auto final_tokens = static_cast<double>(16 * blocks);
    const Workload workload = {.sequences = static_cast<int64_t>(real(1, 100)),
                               .context_tokens = final_tokens * real(0.3, 1),
                               .final_tokens = final_tokens};
    device.host_half_slots = 2 * workload.sequences * blocks;
    device.left_half_slots = static_cast<int64_t>(
        real(0, 1.5) * static_cast<double>(device.weight_half_slots()));
    const int64_t least = std::max<int64_t>(
        0, device.left_half_slots - device.weight_half_slots());
    device_full += least > 0;
    const double weights_first =
        Best(device, workload, least).seconds_per_token();
    const double block =
        4 * 2 * device.half_slot_bytes() / device.link_bytes_per_second;
    for (int split = 1; split <= 10; ++split) {
      const int64_t cached =
          least + (device.left_half_slots - least) * split / 10;
      const MixPoint point = Best(device, workload, cached);
      ASSERT_GT(point.sequences, 0);
      // BestMix() gives away half a percent for more sequences.
      EXPECT_LE(weights_first, point.seconds_per_token() * 1.0051 +
                                   block / static_cast<double>(point.sequences))
          << cached << " of " << device.left_half_slots << " half-slots cache";
    }
  }
  EXPECT_GT(device_full, 50);
}

// The other case: a host too small for all that wait. Then a half-slot on the
// device lets more sequences share the weights. OPT-30B behind 24 GB/s, 16 GB
// left on the device, 64 GB of cache on the host.
TEST(ResidentWeightsTest, CacheGainsMoreWhereTheHostBoundsTheBatch) {
  Device device = {.hidden = 7168,
                   .link_bytes_per_second = 24e9,
                   .flops_per_second = 150e12};
  const double layer_share = device.half_slot_bytes() * 48;
  device.left_half_slots = static_cast<int64_t>(16e9 / layer_share);
  device.host_half_slots = static_cast<int64_t>(64e9 / layer_share);
  const Workload workload = {
      .sequences = 512, .context_tokens = 1024, .final_tokens = 1152};
  const double weights_first = Best(device, workload, 0).seconds_per_token();
  const double cache_first =
      Best(device, workload, device.left_half_slots).seconds_per_token();
  EXPECT_GT(weights_first / cache_first, 1.0);
  // Never more than the share by which the cache grows.
  EXPECT_LT(weights_first / cache_first, 1 + 16.0 / 64);
  RecordProperty("gain", std::to_string(weights_first / cache_first));
}

}  // namespace
}  // namespace hybridserve
