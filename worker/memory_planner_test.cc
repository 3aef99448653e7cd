#include "worker/memory_planner.h"

#include <algorithm>
#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/model/testing/row_major_layout.h"

namespace hybridserve {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMiB = int64_t{1} << 20;
constexpr int64_t kGiB = int64_t{1} << 30;

// OPT-125M's shape.
ModelConfig Opt125M() {
  ModelConfig config;
  config.num_layers = 12;
  config.hidden = 768;
  config.num_heads = config.num_kv_heads = 12;
  config.head_dim = 64;
  config.ffn_dim = 3072;
  config.vocab_size = 50272;
  config.max_positions = 2048;
  config.position_offset = 2;
  config.word_embed_dim = 768;
  return config;
}

class MemoryPlanTest : public testing::Test {
 protected:
  MemoryPlanTest()
      : config_(Opt125M()),
        weights_(MakeWeightPlan(config_, DType::kBFloat16, layout_)) {}

  // A device behind a link, with room on both sides.
  MemoryPlanInputs TwoMemories(MemorySetting device) const {
    return {.config = &config_,
            .weights = &weights_,
            .device_memory = device,
            .device_available = 24 * kGiB,
            .host_available = 64 * kGiB};
  }
  MemoryPlanInputs OneMemory(int64_t available) const {
    return {.config = &config_,
            .weights = &weights_,
            .one_memory = true,
            .host_available = available};
  }
  MemoryPlan Make(const MemoryPlanInputs& inputs) const {
    return MakeMemoryPlan(inputs).value();
  }
  static int64_t Bytes(const std::vector<MemoryItem>& items,
                       const std::string& name) {
    for (const MemoryItem& item : items) {
      if (item.name == name) return item.bytes;
    }
    ADD_FAILURE() << "no item " << name;
    return -1;
  }

  const ModelConfig config_;
  const RowMajorLayout layout_;
  const WeightPlan weights_;
};

TEST_F(MemoryPlanTest, MoreThanTheDeviceHasIsRefusedBeforeLoading) {
  MemoryPlanInputs inputs = TwoMemories(MemorySetting::Bytes(25 * kGiB));
  EXPECT_THAT(MakeMemoryPlan(inputs).status(),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("is more than the 24.0 GiB")));
  inputs.device_on_host = true;  // Modelled: as large as is asked for.
  EXPECT_THAT(MakeMemoryPlan(inputs).status(), IsOk());
  inputs = TwoMemories(MemorySetting::Min());
  inputs.device_available = kMiB;
  EXPECT_THAT(MakeMemoryPlan(inputs).status(),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("device_memory")));
}

TEST_F(MemoryPlanTest, WhatTheOpsHoldIsPartOfTheDevices) {
  MemoryPlanInputs inputs = TwoMemories(MemorySetting::Min());
  const MemoryPlan without = Make(inputs);
  inputs.device_reserved = 80 * kMiB;
  const MemoryPlan with = Make(inputs);
  EXPECT_EQ(with.min_device_bytes, without.min_device_bytes + 80 * kMiB);
  EXPECT_EQ(Bytes(with.device, "ops"), 80 * kMiB);
  inputs.device_memory = MemorySetting::Bytes(2 * kGiB);
  EXPECT_LE(Make(inputs).device_bytes(), 2 * kGiB);
}

TEST_F(MemoryPlanTest, MinHoldsTwoLayersAChunkAndOneSequence) {
  const MemoryPlan plan = Make(TwoMemories(MemorySetting::Min()));
  EXPECT_EQ(plan.device_bytes(), plan.min_device_bytes);
  EXPECT_EQ(plan.weight_buffers, 2);
  EXPECT_EQ(plan.step.rows, 16);
  EXPECT_EQ(plan.staging_half_slots, 3 * 2048 / 16);
  EXPECT_EQ(plan.device_half_slots, 0);
  EXPECT_EQ(plan.streamed_layer_bytes(weights_), weights_.layer.bytes);
  EXPECT_EQ(plan.streamed_head_bytes(weights_), weights_.head.bytes);
  EXPECT_EQ(Bytes(plan.device, "weight ring"),
            2 * (weights_.layer.bytes + weights_.head.max_slice_bytes));
  EXPECT_EQ(Bytes(plan.device, "resident weights"), 0);
  EXPECT_LT(plan.device_bytes(), weights_.TotalBytes() / 2);
}

TEST_F(MemoryPlanTest, AByteBelowMinIsRefusedWithWhatWouldFit) {
  const int64_t least =
      Make(TwoMemories(MemorySetting::Min())).min_device_bytes;
  EXPECT_THAT(MakeMemoryPlan(TwoMemories(MemorySetting::Bytes(least))), IsOk());
  EXPECT_THAT(
      MakeMemoryPlan(TwoMemories(MemorySetting::Bytes(least - 1))),
      StatusIs(absl::StatusCode::kResourceExhausted, std::to_string(least)));
}

// Property: every size from min on is accepted and kept to, and more memory
// streams less, give or take the piece that no longer fits beside longer steps.
TEST_F(MemoryPlanTest, EverySizeIsKeptToAndPutToUse) {
  const int64_t least =
      Make(TwoMemories(MemorySetting::Min())).min_device_bytes;
  int64_t largest_piece = 0;
  for (const WeightPiece& piece : weights_.layer.pieces) {
    largest_piece = std::max(largest_piece, piece.bytes);
  }
  const auto streamed_a_step = [&](const MemoryPlan& plan) {
    return weights_.num_layers * plan.streamed_layer_bytes(weights_) +
           plan.streamed_head_bytes(weights_);
  };
  int64_t streamed_before =
      weights_.num_layers * weights_.layer.bytes + weights_.head.bytes;
  for (int64_t size = least; size < 2 * kGiB; size += size / 16) {
    SCOPED_TRACE(size);
    const MemoryPlan plan = Make(TwoMemories(MemorySetting::Bytes(size)));
    EXPECT_LE(plan.device_bytes(), size);
    EXPECT_GE(plan.staging_half_slots, 3 * 2048 / 16);
    EXPECT_GE(plan.step.rows, 16);
    const int64_t streamed = streamed_a_step(plan);
    EXPECT_LE(streamed, streamed_before + weights_.num_layers * largest_piece);
    streamed_before = streamed;
  }
  const MemoryPlan all = Make(TwoMemories(MemorySetting::Bytes(2 * kGiB)));
  EXPECT_EQ(all.streamed_layer_bytes(weights_), 0);
  EXPECT_EQ(all.streamed_head_bytes(weights_), 0);
  EXPECT_EQ(all.ring_slot_bytes, 0);
  EXPECT_GT(all.device_half_slots, 0);
}

TEST_F(MemoryPlanTest, AutoTakesWhatTheDeviceHasAndNoMoreThanIsOfUse) {
  MemoryPlanInputs inputs = TwoMemories(MemorySetting::Auto());
  const MemoryPlan roomy = Make(inputs);
  EXPECT_EQ(roomy.streamed_layer_bytes(weights_), 0);
  // 64 sequences of 2,048 positions, in K and V.
  EXPECT_EQ(roomy.device_half_slots, 64 * 128 * 2);
  inputs.device_available = 200 * kMiB;
  const MemoryPlan tight = Make(inputs);
  EXPECT_LE(tight.device_bytes(), 180 * kMiB);
  EXPECT_GT(tight.streamed_layer_bytes(weights_), 0);
}

TEST_F(MemoryPlanTest, AModelledDeviceCountsOnTheHost) {
  MemoryPlanInputs inputs = TwoMemories(MemorySetting::Bytes(2 * kGiB));
  inputs.device_on_host = true;
  inputs.host_available = 3 * kGiB;
  const MemoryPlan plan = Make(inputs);
  EXPECT_LE(plan.device_bytes() + plan.host_bytes(), 3 * kGiB);
}

TEST_F(MemoryPlanTest, OneMemoryHasNoRingAndStreamsNothing) {
  const MemoryPlan plan = Make(OneMemory(64 * kGiB));
  EXPECT_TRUE(plan.device.empty());
  EXPECT_EQ(plan.streamed_layer_bytes(weights_), 0);
  EXPECT_EQ(plan.device_half_slots, 0);
  EXPECT_EQ(plan.host_half_slots, 64 * 128 * 2);
  EXPECT_EQ(Bytes(plan.host, "weights"), weights_.TotalBytes());
}

TEST_F(MemoryPlanTest, HostAutoTakesAtMostHalfForTheCache) {
  const MemoryPlan plan = Make(OneMemory(4 * kGiB));
  EXPECT_LE(Bytes(plan.host, "host cache"), 2 * kGiB);
  EXPECT_GT(Bytes(plan.host, "host cache"), 2 * kGiB - kMiB);
}

TEST_F(MemoryPlanTest, ATightHostGetsShorterStepsRatherThanARefusal) {
  const MemoryPlan roomy = Make(OneMemory(4 * kGiB));
  const int64_t tight_bytes =
      roomy.host_bytes() - Bytes(roomy.host, "host cache");
  const MemoryPlan tight = Make(OneMemory(tight_bytes));
  EXPECT_LT(tight.step.rows, roomy.step.rows);
  EXPECT_LE(tight.host_bytes(), tight_bytes);
}

TEST_F(MemoryPlanTest, ATooSmallHostIsRefusedWithWhatWouldFit) {
  MemoryPlanInputs inputs = OneMemory(64 * kGiB);
  inputs.host_memory = MemorySetting::Bytes(10 * kMiB);
  const absl::Status refusal = MakeMemoryPlan(inputs).status();
  EXPECT_THAT(refusal,
              StatusIs(absl::StatusCode::kResourceExhausted, "host_memory"));
  // The amount that it names does.
  const std::string text(refusal.message());
  const size_t at = text.find("at least ") + 9;
  inputs.host_memory = MemorySetting::Bytes(std::stoll(text.substr(at)));
  EXPECT_THAT(MakeMemoryPlan(inputs), IsOk());
  inputs.host_memory.bytes -= 1;
  EXPECT_THAT(MakeMemoryPlan(inputs),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(MemoryPlanTest, AGivenHostMemoryIsTheCachesAlone) {
  MemoryPlanInputs inputs = OneMemory(64 * kGiB);
  inputs.host_memory = MemorySetting::Bytes(3 * kGiB);
  const MemoryPlan plan = Make(inputs);
  EXPECT_LE(Bytes(plan.host, "host cache"), 3 * kGiB);
  EXPECT_GT(Bytes(plan.host, "host cache"), 3 * kGiB - kMiB);
}

TEST_F(MemoryPlanTest, AMachineTooSmallForTheWeightsIsRefused) {
  const absl::Status refusal = MakeMemoryPlan(OneMemory(200 * kMiB)).status();
  EXPECT_THAT(refusal,
              StatusIs(absl::StatusCode::kResourceExhausted, "at least "));
}

TEST_F(MemoryPlanTest, AskingForMoreThanTheMachineLeavesIsRefused) {
  MemoryPlanInputs inputs = OneMemory(2 * kGiB);
  inputs.host_memory = MemorySetting::Bytes(3 * kGiB);
  EXPECT_THAT(MakeMemoryPlan(inputs),
              StatusIs(absl::StatusCode::kResourceExhausted, "would fit"));
}

TEST_F(MemoryPlanTest, BadSettingsAreNamed) {
  MemoryPlanInputs inputs = TwoMemories(MemorySetting::Min());
  inputs.weight_buffers = 1;
  EXPECT_THAT(MakeMemoryPlan(inputs),
              StatusIs(absl::StatusCode::kInvalidArgument, "weight_buffers"));
  inputs.weight_buffers = 2;
  inputs.block_tokens = 0;
  EXPECT_THAT(MakeMemoryPlan(inputs),
              StatusIs(absl::StatusCode::kInvalidArgument, "block_tokens"));
  inputs.block_tokens = 16;
  inputs.host_memory = MemorySetting::Min();
  EXPECT_THAT(MakeMemoryPlan(inputs),
              StatusIs(absl::StatusCode::kInvalidArgument, "host_memory"));
  inputs.host_memory = MemorySetting::Auto();
  inputs.staging_memory_bytes = kMiB;
  EXPECT_THAT(MakeMemoryPlan(inputs),
              StatusIs(absl::StatusCode::kInvalidArgument, "staging_memory"));
}

TEST_F(MemoryPlanTest, GivenStagingIsTaken) {
  MemoryPlanInputs inputs = TwoMemories(MemorySetting::Bytes(kGiB));
  inputs.staging_memory_bytes = 64 * kMiB;
  const MemoryPlan plan = Make(inputs);
  EXPECT_LE(Bytes(plan.device, "staging"), 64 * kMiB);
  EXPECT_GT(Bytes(plan.device, "staging"),
            64 * kMiB - 2 * plan.half_slot_bytes);
}

TEST_F(MemoryPlanTest, TheTableNamesEveryItem) {
  const MemoryPlan plan = Make(TwoMemories(MemorySetting::Min()));
  const std::string text = plan.ToString();
  for (const MemoryItem& item : plan.device) {
    EXPECT_THAT(text, HasSubstr(item.name));
  }
  for (const MemoryItem& item : plan.host) {
    EXPECT_THAT(text, HasSubstr(item.name));
  }
}

TEST_F(MemoryPlanTest, RecomputedRowsTakeHalfOfWhatIsLeftAtMost) {
  MemoryPlanInputs inputs = TwoMemories(MemorySetting::Bytes(kGiB));
  EXPECT_EQ(Make(inputs).step.recomputed_rows, 0);
  inputs.recompute_tokens = 1000;
  const MemoryPlan enough = Make(inputs);
  EXPECT_EQ(enough.step.recomputed_rows, 1008);  // Whole blocks.
  EXPECT_LE(enough.device_bytes(), kGiB);
  inputs.recompute_tokens = int64_t{1} << 40;
  inputs.device_memory = MemorySetting::Bytes(200 * kMiB);
  const MemoryPlan tight = Make(inputs);
  EXPECT_GT(tight.step.recomputed_rows, 0);
  EXPECT_LE(tight.step.recomputed_rows * 768 * 4, 100 * kMiB);
  EXPECT_LE(tight.device_bytes(), 200 * kMiB);
  inputs.device_memory = MemorySetting::Min();
  EXPECT_EQ(Make(inputs).step.recomputed_rows, 0);

  MemoryPlanInputs one_memory = OneMemory(8 * kGiB);
  one_memory.recompute_tokens = 4096;
  EXPECT_EQ(Make(one_memory).step.recomputed_rows, 4096);
  one_memory.recompute_tokens = -1;
  EXPECT_THAT(MakeMemoryPlan(one_memory),
              StatusIs(absl::StatusCode::kInvalidArgument, "recompute_tokens"));
}

TEST_F(MemoryPlanTest, RelaysOfAnUnpinnedCacheAreHostMemory) {
  MemoryPlanInputs inputs = TwoMemories(MemorySetting::Min());
  const MemoryPlan pinned = Make(inputs);
  EXPECT_EQ(pinned.relay_bytes, 0);
  inputs.unpinned_cache = true;
  const MemoryPlan unpinned = Make(inputs);
  EXPECT_EQ(unpinned.relay_bytes,
            unpinned.staging_half_slots * unpinned.half_slot_bytes);
  EXPECT_EQ(Bytes(unpinned.host, "relays"), 2 * unpinned.relay_bytes);
  EXPECT_EQ(unpinned.device_bytes(), pinned.device_bytes());
  // Larger areas go through in parts.
  inputs.device_memory = MemorySetting::Bytes(2 * kGiB);
  inputs.staging_memory_bytes = kGiB;
  EXPECT_EQ(Make(inputs).relay_bytes, 64 * kMiB);
  // They count: what was just enough no longer is.
  inputs = TwoMemories(MemorySetting::Min());
  inputs.host_memory = MemorySetting::Bytes(kGiB);
  inputs.host_available = Make(inputs).host_bytes() + kMiB;
  EXPECT_THAT(MakeMemoryPlan(inputs), IsOk());
  inputs.unpinned_cache = true;
  EXPECT_THAT(MakeMemoryPlan(inputs),
              StatusIs(absl::StatusCode::kResourceExhausted, "host_memory"));

  MemoryPlanInputs one_memory = OneMemory(8 * kGiB);
  one_memory.unpinned_cache = true;
  EXPECT_THAT(MakeMemoryPlan(one_memory),
              StatusIs(absl::StatusCode::kInvalidArgument, "unpinned_cache"));
}

// OPT's matrices are K, V, Q and O, a twelfth of the layer each, then two of a
// third: the middles of the last two are at 50% and 83% (vectors are little).
TEST_F(MemoryPlanTest, AShareOfTheWeightsIsResidentByWholeMatrices) {
  MemoryPlanInputs inputs = TwoMemories(MemorySetting::Bytes(kGiB));
  const auto share = [&](double percent) {
    inputs.resident_weights = percent;
    const MemoryPlan plan = Make(inputs);
    return 1 - static_cast<double>(plan.streamed_layer_bytes(weights_)) /
                   static_cast<double>(weights_.layer.bytes);
  };
  EXPECT_EQ(share(0), 0);
  EXPECT_EQ(share(10), 0);
  EXPECT_NEAR(share(20), 1.0 / 3, 0.01);
  EXPECT_NEAR(share(60), 2.0 / 3, 0.01);
  EXPECT_EQ(share(100), 1);
  EXPECT_EQ(Make(inputs).streamed_head_bytes(weights_), 0);
  EXPECT_GT(Make(inputs).device_half_slots, 0);

  inputs.device_memory = MemorySetting::Bytes(150 * kMiB);
  const auto refused = MakeMemoryPlan(inputs);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted,
                                "does not hold 100% of the weights"));
  // What it says is needed is enough, and a byte less is not.
  const std::string message(refused.status().message());
  const size_t at = message.rfind("at least ") + 9;
  const int64_t needed = std::stoll(message.substr(at));
  inputs.device_memory = MemorySetting::Bytes(needed);
  EXPECT_THAT(MakeMemoryPlan(inputs), IsOk());
  inputs.device_memory = MemorySetting::Bytes(needed - 1);
  EXPECT_THAT(MakeMemoryPlan(inputs),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace hybridserve
