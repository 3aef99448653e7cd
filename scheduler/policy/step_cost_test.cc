#include "scheduler/policy/step_cost.h"

#include <limits>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

void Set(CostModel& costs, WorkKind kind, double fixed, double per_unit) {
  costs.profile.fits[kind].cost = {.fixed = absl::Seconds(fixed),
                                   .seconds_per_unit = per_unit};
}

// Two layers; every number is a power of ten of its own kind's.
CostModel Costs() {
  CostModel costs;
  costs.shape = {.num_layers = 2,
                 .layer_weight_bytes = 1000,
                 .head_weight_bytes = 500,
                 .head_slices = 3,
                 .kv_bytes_per_token = 4,
                 .act_bytes_per_token = 2,
                 .input_bytes_per_row = 8,
                 .block_tokens = 16,
                 .staging_half_slots = 60};
  Set(costs, WorkKind::kWeights, 0.5, 0.01);
  Set(costs, WorkKind::kKv, 0.25, 0.02);
  Set(costs, WorkKind::kAct, 0.125, 0.03);
  Set(costs, WorkKind::kInputs, 1, 0.5);
  Set(costs, WorkKind::kRebuild, 2, 0.04);
  Set(costs, WorkKind::kForward, 3, 0.5);
  Set(costs, WorkKind::kAttention, 4, 0.001);
  Set(costs, WorkKind::kHead, 5, 0.25);
  Set(costs, WorkKind::kWriteBack, 6, 0.1);
  return costs;
}

TEST(PredictStepTest, AddsUpEveryPiece) {
  // Four sequences of ten blocks; 2 * 20 + 3 * 15 = 85 half-slots, two
  // sequences of 21.25 a mini-batch.
  const BlockCounts blocks = {
      .kv_device = 5, .kv_host = 20, .act_device = 4, .act_host = 11};
  const StepTime time = PredictStep(
      Costs(), {.sequences = 4, .context_tokens = 640, .new_rows = 4}, blocks);
  EXPECT_EQ(time.mini_batches, 2);
  EXPECT_DOUBLE_EQ(time.link, (2 * 0.5 + 10) + (2 * 0.25 + 0.02 * 20 * 64) +
                                  (2 * 0.125 + 0.03 * 11 * 32));
  EXPECT_DOUBLE_EQ(time.compute, (2 * 2 + 0.04 * 15 * 16) + (2 * 3 + 0.5 * 4) +
                                     (2 * 4 + 0.001 * (640 + 4)));
  EXPECT_DOUBLE_EQ(time.copy_out, 6 + 0.1 * 4.0 / 40 * (20 * 4 + 11 * 2));
  EXPECT_DOUBLE_EQ(time.head_link, (3 * 0.5 + 0.01 * 500) + (1 + 0.5 * 32));
  EXPECT_DOUBLE_EQ(time.head_compute, 3 * 5 + 0.25 * 3 * 4);
  EXPECT_DOUBLE_EQ(time.layer(), time.link);
  EXPECT_DOUBLE_EQ(time.step(), 2 * time.link + time.head_link);
  EXPECT_EQ(time.binds(), "link");
}

TEST(PredictStepTest, WhatIsNotDoneCostsNothing) {
  CostModel costs = Costs();
  costs.shape.layer_weight_bytes = costs.shape.head_weight_bytes = 0;
  const StepTime time =
      PredictStep(costs, {.sequences = 1, .context_tokens = 16, .new_rows = 1},
                  {.kv_device = 1});
  EXPECT_EQ(time.mini_batches, 1);
  EXPECT_EQ(time.link, 0);
  EXPECT_EQ(time.copy_out, 0);
  EXPECT_EQ(time.binds(), "compute");
  EXPECT_EQ(PredictStep(costs, {}, {}).step(), 0);
}

TEST(PredictStepTest, OnlyFilledRowsCrossTheLinkButWholeBlocksAreRebuilt) {
  const BlockCounts blocks = {.kv_host = 20, .act_host = 10};
  StepLoad load = {.sequences = 2, .context_tokens = 360, .new_rows = 2};
  const StepTime whole = PredictStep(Costs(), load, blocks);
  load.fill = 0.75;
  const StepTime filled = PredictStep(Costs(), load, blocks);
  EXPECT_EQ(filled.compute, whole.compute);
  EXPECT_EQ(filled.copy_out, whole.copy_out);
  EXPECT_NEAR(whole.link - filled.link,
              0.25 * (0.02 * 20 * 64 + 0.03 * 10 * 32), 1e-9);
}

TEST(PredictStepTest, CountsTheBytesOfAllLayers) {
  const StepBytes bytes = PredictStepBytes(
      Costs().shape,
      {.sequences = 4, .context_tokens = 640, .new_rows = 4, .fill = 0.5},
      {.kv_device = 5, .kv_host = 20, .act_device = 4, .act_host = 11});
  EXPECT_DOUBLE_EQ(bytes.weights, 2 * 1000 + 500);
  EXPECT_DOUBLE_EQ(bytes.kv, 2 * 20 * 64 * 0.5);
  EXPECT_DOUBLE_EQ(bytes.act, 2 * 11 * 32 * 0.5);
  EXPECT_DOUBLE_EQ(bytes.write_back, 2 * 4.0 / 40 * (20 * 4 + 11 * 2));
}

TEST(PredictStepTest, AChunkAttendsToItself) {
  CostModel costs;
  Set(costs, WorkKind::kAttention, 0, 1);
  // Three rows after ten: 11 + 12 + 13.
  EXPECT_DOUBLE_EQ(
      PredictStep(costs, {.sequences = 1, .context_tokens = 10, .new_rows = 3},
                  {})
          .compute,
      36);
}

TEST(NumMiniBatchesTest, HoldWholeSequences) {
  const DecodeShape shape = {.staging_half_slots = 100};
  EXPECT_EQ(NumMiniBatches(shape, 0, 0), 0);
  EXPECT_EQ(NumMiniBatches(shape, 7, 0), 1);
  EXPECT_EQ(NumMiniBatches(shape, 10, 100), 1);
  EXPECT_EQ(NumMiniBatches(shape, 10, 101), 2);  // Nine and one.
  EXPECT_EQ(NumMiniBatches(shape, 3, 180), 3);   // 60 each: one at a time.
  EXPECT_EQ(NumMiniBatches(shape, 2, 1000), 2);  // Too large, each alone.
  EXPECT_EQ(NumMiniBatches(shape, 30, 300), 3);
}

ModelConfig Opt() {
  ModelConfig config;
  config.num_layers = 4;
  config.hidden = config.ffn_dim = 64;
  config.num_heads = config.num_kv_heads = 4;
  config.head_dim = 16;
  config.vocab_size = 1000;
  return config;
}

TEST(CostModelTest, MadeFromRatesWhereNothingWasFitted) {
  WorkerInfo info;
  info.numerics.dtype = DType::kFloat32;
  info.streamed_layer_bytes = 500;
  info.head_slices = 4;
  info.profile = {.link_bytes_per_second = 100,
                  .copy_out_bytes_per_second = 50,
                  .gemm_flops_per_second = 1000};
  const CostModel costs = CostModel::Of(info, Opt());
  EXPECT_EQ(costs.shape.head_slices, 4);
  EXPECT_EQ(costs.shape.kv_bytes_per_token, 512);
  EXPECT_EQ(costs.shape.act_bytes_per_token, 256);
  EXPECT_TRUE(costs.shape.act_pays);
  const auto per_unit = [&costs](WorkKind kind) {
    return costs.profile.cost(kind).seconds_per_unit;
  };
  EXPECT_DOUBLE_EQ(per_unit(WorkKind::kKv), 0.01);
  EXPECT_DOUBLE_EQ(per_unit(WorkKind::kWriteBack), 0.02);
  EXPECT_DOUBLE_EQ(per_unit(WorkKind::kRebuild), 4 * 64 * 64 / 1e3);
  EXPECT_DOUBLE_EQ(per_unit(WorkKind::kHead), 2 * 64 * 250 / 1e3);
  EXPECT_FALSE(costs.is_free());

  info.profile.link_bytes_per_second = std::numeric_limits<double>::infinity();
  const CostModel one_memory = CostModel::Of(info, Opt());
  EXPECT_TRUE(one_memory.shape.one_memory);
  EXPECT_EQ(one_memory.profile.cost(WorkKind::kKv).seconds_per_unit, 0);
  info.profile = {};
  EXPECT_TRUE(CostModel::Of(info, Opt()).is_free());
}

TEST(CostModelTest, FitsGoBeforeRates) {
  WorkerInfo info;
  info.profile.gemm_flops_per_second = 1000;
  info.profile.work.fits[WorkKind::kKv] = {
      .cost = {.fixed = absl::Seconds(3), .seconds_per_unit = 7},
      .samples = {{.units = 1, .duration = absl::Seconds(10)}}};
  const CostModel costs = CostModel::Of(info, Opt());
  EXPECT_EQ(costs.profile.cost(WorkKind::kKv).seconds_per_unit, 7);
  EXPECT_EQ(costs.profile.cost(WorkKind::kRebuild).seconds_per_unit, 0);
}

// Two layers: half the sum of one in full and one of K and V alone.
TEST(PredictStepTest, RecomputedTokensRunThroughTheLayersAgain) {
  CostModel costs = Costs();
  costs.shape.step_rows = 100;
  const StepLoad load = {.sequences = 4, .context_tokens = 640, .new_rows = 4};
  const BlockCounts blocks = {.kv_host = 40};  // Two sequences a mini-batch.
  BlockCounts recomputing = {.kv_host = 40};
  recomputing.tokens = 20;  // 80 rows a sequence; 30 half-slots to stage each.
  const StepTime without = PredictStep(costs, load, blocks);
  const StepTime with = PredictStep(costs, load, recomputing);
  EXPECT_EQ(with.mini_batches, 2);
  EXPECT_EQ(without.mini_batches, 2);
  EXPECT_DOUBLE_EQ(with.link, without.link);
  EXPECT_DOUBLE_EQ(with.copy_out, without.copy_out);
  // 320 rows in 3.2 chunks of 100; 4 x 80 x 81 / 2 pairs.
  const double full = (3 * 3.2 + 0.5 * 320) + (4 * 3.2 + 0.001 * 12960);
  const double last = 2 * 3.2 + 0.04 * 320;
  EXPECT_DOUBLE_EQ(with.compute, without.compute + (full + last) / 2);
  EXPECT_DOUBLE_EQ(with.head_link, without.head_link + 0.5 * 8 * 320);
}

TEST(PredictStepTest, ZigZagLoadsAllWeightsWithTheFirstMiniBatch) {
  StepTime time = {.mini_batches = 4,
                   .link = 20,
                   .compute = 16,
                   .copy_out = 1,
                   .weights = 12};
  EXPECT_DOUBLE_EQ(time.layer(), 20);
  time.zig_zag = true;
  // 12 + 8 / 4, then three times the compute of a mini-batch.
  EXPECT_DOUBLE_EQ(time.layer(), 14 + 3 * 4);
  time.mini_batches = 1;
  EXPECT_DOUBLE_EQ(time.layer(), 20);
}

TEST(RecomputedBlocksTest, WholeOnesWithinTheWorkersLimit) {
  const DecodeShape shape = {.block_tokens = 16, .recomputed_tokens = 100};
  EXPECT_EQ(RecomputedBlocks(shape, 0.25, 10), 2);
  EXPECT_EQ(RecomputedBlocks(shape, 1, 5), 5);
  EXPECT_EQ(RecomputedBlocks(shape, 1, 10), 6);
  EXPECT_EQ(RecomputedBlocks(shape, 0, 10), 0);
}

}  // namespace
}  // namespace hybridserve
