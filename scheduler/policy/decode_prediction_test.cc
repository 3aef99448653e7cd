#include "scheduler/policy/decode_prediction.h"

#include "absl/time/time.h"
#include "common/work.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

CostModel Costs() {
  CostModel costs;
  costs.shape = {.num_layers = 3,
                 .kv_bytes_per_token = 4,
                 .act_bytes_per_token = 2,
                 .block_tokens = 16,
                 .staging_half_slots = 1000};
  costs.profile.fits[WorkKind::kKv].cost.seconds_per_unit = 1;
  costs.profile.fits[WorkKind::kRebuild].cost.seconds_per_unit = 1;
  return costs;
}

TEST(BlocksPerSequenceTest, HoldTheWholeLife) {
  EXPECT_EQ(BlocksPerSequence(Costs(), {1, 100, 160}), 10);
  EXPECT_EQ(BlocksPerSequence(Costs(), {1, 100, 161}), 11);
  EXPECT_EQ(BlocksPerSequence(Costs(), {}), 1);
}

// Cached 97 to 112 positions take seven blocks each: on average 104.5 do.
TEST(BlockUseTest, TheLastBlockIsHalfFull) {
  const CacheUse use = CacheUse::Of(Costs(), {1, 104.5, 160});
  EXPECT_DOUBLE_EQ(use.held, 0.7);
  EXPECT_DOUBLE_EQ(use.filled, 104.5 / 160);
}

TEST(BlockUseTest, HoldsNoMoreThanIsReserved) {
  const CacheUse use = CacheUse::Of(Costs(), {1, 160, 160});
  EXPECT_EQ(use.held, 1);
  EXPECT_EQ(use.filled, 1);
  EXPECT_EQ(CacheUse::Of(Costs(), {1, 0, 160}).held, 0);
}

TEST(PredictDecodeTest, LoadsFilledRowsAndRebuildsHeldBlocks) {
  const Workload workload = {
      .sequences = 2, .context_tokens = 104.5, .final_tokens = 160};
  const BlockCounts reserved = {.kv_host = 10, .act_host = 10};
  const StepTime time = PredictDecode(Costs(), workload, 2, reserved);
  EXPECT_NEAR(time.link, 4 * 104.5, 1e-9);
  EXPECT_NEAR(time.compute, 0.7 * 160, 1e-9);
  const StepBytes bytes = PredictDecodeBytes(Costs(), workload, 2, reserved);
  EXPECT_NEAR(bytes.kv, 3 * 4 * 104.5, 1e-9);
  EXPECT_NEAR(bytes.act, 3 * 2 * 104.5, 1e-9);
}

}  // namespace
}  // namespace hybridserve
