#include "worker/model/host_weights.h"

#include <algorithm>
#include <cstdint>
#include <memory>

#include "absl/types/span.h"
#include "common/dtype.h"
#include "gtest/gtest.h"
#include "kernels/device/buffer.h"
#include "kernels/device/device.h"
#include "worker/device/cpu_device.h"
#include "worker/model/testing/small_models.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {
namespace {

TEST(HostWeightsTest, HaveThePlansSizesAndAreZero) {
  const std::unique_ptr<Device> device =
      CreateCpuDevice({.threads = 1}).value();
  for (const auto& [name, config] : SmallConfigs()) {
    SCOPED_TRACE(name);
    const WeightPlan plan =
        MakeWeightPlan(config, DType::kFloat32, device->weight_layout());
    const HostWeights weights = HostWeights::Allocate(*device, plan).value();
    const WeightSpans spans = weights.Spans(plan);
    const auto check = [](absl::Span<const char> span, int64_t size) {
      EXPECT_EQ(static_cast<int64_t>(span.size()), size);
      EXPECT_EQ(std::count(span.begin(), span.end(), '\0'), size);
    };
    check(spans.layers, plan.num_layers * plan.layer.bytes);
    check(spans.head, plan.head.bytes);
    check(spans.outer, plan.outer.bytes);
    check(spans.token_table, plan.token_table.bytes());
    check(spans.position_table, plan.position_table.bytes());
    EXPECT_EQ(weights.layers->space(), MemorySpace::kHost);
  }
}

}  // namespace
}  // namespace hybridserve
