#include "scheduler/policy/flexgen_cost.h"

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr double kGiB = 1 << 30;
constexpr double kTera = 1e12;

// OPT-30B, 512 tokens in and 32 out; FlexGen's constants for a T4 and 208 GB.
constexpr FlexGenJob kOpt30B = {.num_layers = 48,
                                .hidden = 7168,
                                .ffn = 28672,
                                .num_heads = 56,
                                .prompt_tokens = 512,
                                .output_tokens = 32};
constexpr FlexGenHardware kT4 = {.to_device = 12.89 * kGiB,
                                 .cache_to_host = 0.97 * kGiB,
                                 .hidden_to_host = 4.82 * kGiB,
                                 .prefill_matmul = 21.24 * kTera,
                                 .decode_matmul = 4.3 * kTera,
                                 .prefill_attention = 9.97 * kTera,
                                 .decode_attention = 0.079 * kTera,
                                 .host_attention = 0.0123 * kTera,
                                 .device_bytes = 15 * kGiB,
                                 .host_bytes = 204 * kGiB};
// 20 80 0 100 0 100, 3 mini-batches of 48.
constexpr FlexGenPlacement kPublished = {
    .batch_sequences = 48, .num_batches = 3, .weights = 0.2};

// PAPER.md 2.3: 7.14 tokens/s by these equations, 7.32 measured by FlexGen.
TEST(FlexGenCostTest, GivesThePublishedPolicysTimes) {
  const FlexGenTimes times =
      PredictFlexGen(kOpt30B, kT4, FlexGenAttention::kHost, kPublished);
  EXPECT_NEAR(times.prefill_layer, 4.39, 0.005);
  EXPECT_NEAR(times.decode_layer, 0.292, 0.0005);
  EXPECT_NEAR(times.tokens_per_second, 7.14, 0.005);
  EXPECT_DOUBLE_EQ(times.total,
                   48 * (times.prefill_layer + 31 * times.decode_layer));
}

// Without attention on the host its cache crosses the link: 144 x 528 rows of
// 28,672 bytes at 12.89 GiB/s are 0.1575 s a layer.
TEST(FlexGenCostTest, OnTheDeviceAttentionLoadsTheCache) {
  const FlexGenTimes times =
      PredictFlexGen(kOpt30B, kT4, FlexGenAttention::kDevice, kPublished);
  const double cached = 4.0 * 144 * 528 * 7168;
  EXPECT_NEAR(times.decode_layer,
              (0.8 * kOpt30B.layer_bytes() + 2.0 * 7168 * 144 + cached) /
                      kT4.to_device +
                  144 * kOpt30B.layer_bytes() / kT4.decode_matmul +
                  cached / kT4.decode_attention,
              1e-9);
  FlexGenPlacement on_device = kPublished;
  on_device.cache = 1;
  EXPECT_LT(PredictFlexGen(kOpt30B, kT4, FlexGenAttention::kDevice, on_device)
                .decode_layer,
            times.decode_layer);
}

TEST(FlexGenCostTest, CountsWeightsCacheAndWhatWorks) {
  const FlexGenMemory peak = FlexGenPeak(kOpt30B, kPublished);
  const double weights = kOpt30B.layer_bytes() * 48;
  // A fifth of the weights, the double buffer of the rest, temporaries.
  EXPECT_GT(peak.device_decode, 0.2 * weights);
  EXPECT_GT(peak.device_prefill, peak.device_decode);
  // 144 x 544 tokens of 1,376,256 bytes are 107.8 GB.
  EXPECT_NEAR(peak.host_decode / (0.8 * weights + 144 * 544 * 1376256.0), 1,
              0.01);
  EXPECT_TRUE(FlexGenFits(kOpt30B, kT4, {.weights = 0.1}));
  FlexGenHardware small = kT4;
  small.host_bytes = 100 * kGiB;
  EXPECT_FALSE(FlexGenFits(kOpt30B, small, kPublished));
  small = kT4;
  small.device_bytes = 2 * kGiB;
  EXPECT_FALSE(FlexGenFits(kOpt30B, small, kPublished));
}

}  // namespace
}  // namespace hybridserve
