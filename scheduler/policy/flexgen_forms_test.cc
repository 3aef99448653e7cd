#include "scheduler/policy/flexgen_forms.h"

#include <cstdint>

#include "common/work.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr int64_t kHidden = 7168;
constexpr int64_t kGiB = int64_t{1} << 30;

// 4 layers of OPT-30B in 2-byte elements, on a device of 60 TFLOPS behind
// 24 GB/s.
CostModel Costs() {
  CostModel costs;
  costs.shape.num_layers = 4;
  costs.shape.kv_bytes_per_token = 4 * kHidden;
  costs.shape.layer_weight_bytes = 24.0 * kHidden * kHidden;
  WorkProfile& profile = costs.profile;
  const auto set = [&](WorkKind kind, double seconds_per_unit) {
    profile.fits[kind].cost.seconds_per_unit = seconds_per_unit;
  };
  set(WorkKind::kKv, 1 / 24e9);
  set(WorkKind::kWriteBack, 1 / 24e9);
  set(WorkKind::kForward, 24.0 * kHidden * kHidden / 60e12);
  set(WorkKind::kAttention, 4.0 * kHidden / 40e12);
  return costs;
}

constexpr Workload kWorkload = {
    .sequences = 64, .context_tokens = 1088, .final_tokens = 1152};

FlexGenMachine Machine() {
  return {.num_heads = 56,
          .layer_bytes = 24 * kHidden * kHidden,
          .device_bytes = 8 * kGiB,
          .host_bytes = 64 * kGiB,
          .host_attends = true};
}

TEST(FlexGenFormsTest, AttentionOnTheHostSparesTheLink) {
  FlexGenMachine machine = Machine();
  machine.device_bytes = 4 * kGiB;  // No room for cache.
  const FlexGenForms forms = ChooseFlexGenForms(Costs(), kWorkload, machine);
  ASSERT_TRUE(forms.device_attention.has_value());
  ASSERT_TRUE(forms.host_attention.has_value());
  // The host attends as fast as the device here, so that loading is all there
  // is to lose.
  EXPECT_GT(forms.host_attention->times.tokens_per_second,
            1.2 * forms.device_attention->times.tokens_per_second);
  EXPECT_LE(forms.device_attention->placement.sequences(), 64);
}

TEST(FlexGenFormsTest, WeightsArePlacedToo) {
  FlexGenMachine machine = Machine();
  machine.device_bytes = 100 * kGiB;
  const FlexGenForms forms = ChooseFlexGenForms(Costs(), kWorkload, machine);
  ASSERT_TRUE(forms.device_attention.has_value());
  EXPECT_DOUBLE_EQ(forms.device_attention->placement.weights, 1);
  machine.device_bytes = 4 * kGiB;
  const FlexGenForms small = ChooseFlexGenForms(Costs(), kWorkload, machine);
  ASSERT_TRUE(small.device_attention.has_value());
  EXPECT_LT(small.device_attention->placement.weights, 1);
}

TEST(FlexGenFormsTest, ASpeedThatIsNotKnownGivesNoForm) {
  FlexGenMachine machine = Machine();
  machine.host_attends = false;
  const FlexGenForms forms = ChooseFlexGenForms(Costs(), kWorkload, machine);
  EXPECT_TRUE(forms.device_attention.has_value());
  EXPECT_FALSE(forms.host_attention.has_value());
}

TEST(FlexGenFormsTest, NothingFitsInNothing) {
  FlexGenMachine machine = Machine();
  machine.device_bytes = 1;
  const FlexGenForms forms = ChooseFlexGenForms(Costs(), kWorkload, machine);
  EXPECT_FALSE(forms.device_attention.has_value());
  EXPECT_FALSE(forms.host_attention.has_value());
}

TEST(PercentsOfTest, RoundsToWhatTheFlagTakes) {
  const FlexGenPercents percents =
      PercentsOf({.weights = 0.204, .cache = 0.996, .hidden = 0.3});
  EXPECT_EQ(percents.ToString(), "20,80,100,0,0,100");
}

}  // namespace
}  // namespace hybridserve
