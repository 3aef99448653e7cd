#include "common/wire/worker_info_wire.h"

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

using ::testing::Optional;

WorkerInfo SomeInfo() {
  return {
      .name = "node-3/77",
      .epoch = 12,
      .model_name = "opt",
      .files = {.config_json = "{}"},
      .numerics = {.weights_hash = std::string(64, 'a'),
                   .backend = "cpu",
                   .isa = "avx2",
                   .dtype = DType::kBFloat16,
                   .block_tokens = 16,
                   .build_id = "b1"},
      .device = "a CPU",
      .pools = {{.tier = Tier::kDevice, .half_slots = 0, .half_slot_bytes = 64},
                {.tier = Tier::kHost, .half_slots = 99, .half_slot_bytes = 64}},
      .staging_half_slots = 30,
      .max_step_tokens = 512,
      .max_logit_rows = 64,
      .unpinned_cache = true,
      .layer_bytes = 1000,
      .streamed_layer_bytes = 900,
      .streamed_head_bytes = 800,
      .head_slices = 5,
      .profile = {.link_bytes_per_second =
                      std::numeric_limits<double>::infinity(),
                  .copy_out_bytes_per_second = 5e9,
                  .gemm_flops_per_second = 1e11},
  };
}

pb::Hello SomeHello() {
  pb::Hello hello;
  hello.set_wire_revision(kWireRevision);
  hello.set_worker_name("node-3/77");
  hello.set_model_name("opt");
  return hello;
}

TEST(WorkerInfoWireTest, ARegistrationSurvivesTheWayThereAndBack) {
  const WorkerInfo info = SomeInfo();
  pb::Register wire;
  WorkerInfoToWire(info, wire);
  const auto back = WorkerInfoFromWire(SomeHello(), 12, info.files, wire);
  ASSERT_THAT(back, IsOk());
  EXPECT_EQ(back->name, info.name);
  EXPECT_EQ(back->epoch, info.epoch);
  EXPECT_EQ(back->model_name, info.model_name);
  EXPECT_EQ(back->files.config_json, "{}");
  EXPECT_EQ(back->numerics, info.numerics);
  EXPECT_EQ(back->device, info.device);
  ASSERT_EQ(back->pools.size(), 2u);
  EXPECT_EQ(back->pools[1].tier, Tier::kHost);
  EXPECT_EQ(back->pools[1].half_slots, 99);
  EXPECT_EQ(back->pools[1].half_slot_bytes, 64);
  EXPECT_EQ(back->staging_half_slots, 30);
  EXPECT_EQ(back->max_step_tokens, 512);
  EXPECT_EQ(back->max_logit_rows, 64);
  EXPECT_TRUE(back->unpinned_cache);
  EXPECT_EQ(back->layer_bytes, 1000);
  EXPECT_EQ(back->streamed_layer_bytes, 900);
  EXPECT_EQ(back->streamed_head_bytes, 800);
  EXPECT_EQ(back->head_slices, 5);
  EXPECT_EQ(back->profile.link_bytes_per_second,
            info.profile.link_bytes_per_second);
  EXPECT_EQ(back->profile.copy_out_bytes_per_second, 5e9);
  EXPECT_EQ(back->profile.gemm_flops_per_second, 1e11);
}

TEST(WorkerInfoWireTest, AnotherRevisionSaysWhichSideToUpgrade) {
  pb::Hello hello = SomeHello();
  EXPECT_THAT(CheckHello(hello), IsOk());
  hello.set_wire_revision(kWireRevision - 1);
  EXPECT_THAT(CheckHello(hello), StatusIs(absl::StatusCode::kFailedPrecondition,
                                          "upgrade the worker"));
  hello.set_wire_revision(kWireRevision + 1);
  EXPECT_THAT(CheckHello(hello), StatusIs(absl::StatusCode::kFailedPrecondition,
                                          "upgrade the scheduler"));
}

TEST(WorkerInfoWireTest, AModelNeedsAName) {
  pb::Hello hello = SomeHello();
  hello.clear_model_name();
  EXPECT_THAT(FieldOf(CheckHello(hello)),
              Optional(std::string("hello.model_name")));
  hello.set_model_name(std::string(257, 'x'));
  EXPECT_THAT(FieldOf(CheckHello(hello)),
              Optional(std::string("hello.model_name")));
}

TEST(WorkerInfoWireTest, WhatIsOutOfRangeIsRefusedByField) {
  struct Damage {
    std::string field;
    std::function<void(pb::Register&)> apply;
  };
  const std::vector<Damage> damages = {
      {"register.numerics.weights_hash",
       [](auto& r) { r.mutable_numerics()->set_weights_hash("abc"); }},
      {"register.numerics.block_tokens",
       [](auto& r) { r.mutable_numerics()->set_block_tokens(0); }},
      {"dtype", [](auto& r) { r.mutable_numerics()->clear_dtype(); }},
      {"tier", [](auto& r) { r.mutable_pools(0)->clear_tier(); }},
      {"register.pools",
       [](auto& r) { r.mutable_pools(0)->set_tier(pb::TIER_HOST); }},
      {"register.pools.half_slots",
       [](auto& r) { r.mutable_pools(0)->set_half_slots(-1); }},
      {"register.pools.half_slot_bytes",
       [](auto& r) { r.mutable_pools(0)->set_half_slot_bytes(0); }},
      {"register.max_step_tokens", [](auto& r) { r.set_max_step_tokens(0); }},
      {"register.layer_bytes", [](auto& r) { r.set_layer_bytes(-1); }},
      {"register.head_slices", [](auto& r) { r.set_head_slices(0); }},
      {"register.device", [](auto& r) { r.set_device(std::string(300, 'x')); }},
      {"register.profile.gemm_flops_per_second",
       [](auto& r) {
         r.mutable_profile()->set_gemm_flops_per_second(
             std::numeric_limits<double>::quiet_NaN());
       }},
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.field);
    pb::Register wire;
    WorkerInfoToWire(SomeInfo(), wire);
    damage.apply(wire);
    const auto back = WorkerInfoFromWire(SomeHello(), 12, {}, wire);
    EXPECT_THAT(back, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(FieldOf(back.status()), Optional(damage.field));
  }
}

}  // namespace
}  // namespace hybridserve
