#include "common/wire/work_wire.h"

#include <functional>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

using absl::StatusCode;
using ::google::protobuf::RepeatedPtrField;
using ::testing::HasSubstr;

TEST(WorkWireTest, ProfilesComeBack) {
  WorkProfile profile;
  profile.fits[WorkKind::kKv] = {.cost = {.fixed = absl::Microseconds(3),
                                          .seconds_per_unit = 2e-9,
                                          .r_squared = 0.875},
                                 .samples = {{1000, absl::Microseconds(5)},
                                             {2000, absl::Microseconds(7)}}};
  profile.fits[WorkKind::kOther].cost.seconds_per_unit = 1;
  RepeatedPtrField<pb::WorkCost> wire;
  WorkProfileToWire(profile, wire);
  ASSERT_EQ(wire.size(), 2);
  EXPECT_EQ(wire[0].kind(), pb::WORK_KIND_KV);
  EXPECT_EQ(wire[1].kind(), pb::WORK_KIND_OTHER);

  const WorkProfile back = WorkProfileFromWire("costs", wire).value();
  const WorkFit& kv = back.fits[WorkKind::kKv];
  EXPECT_EQ(kv.cost.fixed, absl::Microseconds(3));
  EXPECT_EQ(kv.cost.seconds_per_unit, 2e-9);
  EXPECT_EQ(kv.cost.r_squared, 0.875);
  ASSERT_EQ(kv.samples.size(), 2U);
  EXPECT_EQ(kv.samples[1].units, 2000);
  EXPECT_EQ(kv.samples[1].duration, absl::Microseconds(7));
  EXPECT_EQ(back.fits[WorkKind::kWeights].samples.size(), 0U);
}

TEST(WorkWireTest, TotalsComeBack) {
  PerWorkKind<WorkTotals> totals;
  totals[WorkKind::kRebuild] = {
      .count = 4, .units = 64.5, .busy = absl::Nanoseconds(99)};
  RepeatedPtrField<pb::WorkTotals> wire;
  WorkTotalsToWire(totals, wire);
  ASSERT_EQ(wire.size(), 1);
  const auto back = WorkTotalsFromWire("work", wire).value();
  EXPECT_EQ(back[WorkKind::kRebuild].count, 4);
  EXPECT_EQ(back[WorkKind::kRebuild].units, 64.5);
  EXPECT_EQ(back[WorkKind::kRebuild].busy, absl::Nanoseconds(99));
  EXPECT_EQ(back[WorkKind::kKv].count, 0);
}

TEST(WorkWireTest, BadProfilesAreNamed) {
  const struct {
    const char* field;
    std::function<void(pb::WorkCost&)> damage;
  } cases[] = {
      {"costs[0].kind",
       [](pb::WorkCost& cost) { cost.set_kind(static_cast<pb::WorkKind>(0)); }},
      {"costs[0].kind",
       [](pb::WorkCost& cost) {
         cost.set_kind(static_cast<pb::WorkKind>(99));
       }},
      {"costs[0].fixed_seconds",
       [](pb::WorkCost& cost) { cost.set_fixed_seconds(-1); }},
      {"costs[0].seconds_per_unit",
       [](pb::WorkCost& cost) {
         cost.set_seconds_per_unit(std::numeric_limits<double>::quiet_NaN());
       }},
      {"costs[0].r_squared",
       [](pb::WorkCost& cost) { cost.set_r_squared(1.5); }},
      {"costs[0].samples[0].seconds",
       [](pb::WorkCost& cost) { cost.add_samples()->set_seconds(-1); }},
      {"costs[0].samples",
       [](pb::WorkCost& cost) {
         for (int i = 0; i < 65; ++i) cost.add_samples();
       }},
  };
  for (const auto& [field, damage] : cases) {
    RepeatedPtrField<pb::WorkCost> wire;
    wire.Add()->set_kind(pb::WORK_KIND_KV);
    damage(wire[0]);
    EXPECT_THAT(WorkProfileFromWire("costs", wire),
                StatusIs(StatusCode::kInvalidArgument, HasSubstr(field)));
  }
}

TEST(WorkWireTest, BadTotalsAreNamed) {
  RepeatedPtrField<pb::WorkTotals> wire;
  wire.Add()->set_kind(pb::WORK_KIND_KV);
  wire.Add()->set_kind(pb::WORK_KIND_KV);
  EXPECT_THAT(
      WorkTotalsFromWire("work", wire),
      StatusIs(StatusCode::kInvalidArgument, HasSubstr("work[1].kind")));
  wire[1].set_kind(pb::WORK_KIND_ACT);
  wire[1].set_busy_ns(-1);
  EXPECT_THAT(
      WorkTotalsFromWire("work", wire),
      StatusIs(StatusCode::kInvalidArgument, HasSubstr("work[1].busy_ns")));
}

}  // namespace
}  // namespace hybridserve
