#include "worker/model/host_weights.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/status_macros.h"
#include "kernels/device/buffer.h"
#include "kernels/device/device.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {

absl::StatusOr<HostWeights> HostWeights::Allocate(Device& device,
                                                  const WeightPlan& plan) {
  const auto allocate = [&device](int64_t bytes) {
    // A model may have nothing outside its layers; a buffer is never empty.
    return device.Allocate(MemorySpace::kHost, std::max<int64_t>(bytes, 64));
  };
  HostWeights weights;
  ASSIGN_OR_RETURN(weights.layers,
                   allocate(plan.num_layers * plan.layer.bytes));
  ASSIGN_OR_RETURN(weights.head, allocate(plan.head.bytes));
  ASSIGN_OR_RETURN(weights.outer, allocate(plan.outer.bytes));
  ASSIGN_OR_RETURN(weights.token_table, allocate(plan.token_table.bytes()));
  ASSIGN_OR_RETURN(weights.position_table,
                   allocate(plan.position_table.bytes()));
  return weights;
}

int64_t HostWeights::unpinned_bytes() const {
  int64_t bytes = 0;
  for (const Buffer* buffer : {layers.get(), head.get(), outer.get(),
                               token_table.get(), position_table.get()}) {
    if (!buffer->pinned()) bytes += buffer->size();
  }
  return bytes;
}

WeightSpans HostWeights::Spans(const WeightPlan& plan) const {
  const auto bytes = [](const Buffer& buffer, int64_t size) {
    return buffer.host_bytes().first(size);
  };
  return {
      .layers = bytes(*layers, plan.num_layers * plan.layer.bytes),
      .head = bytes(*head, plan.head.bytes),
      .outer = bytes(*outer, plan.outer.bytes),
      .token_table = bytes(*token_table, plan.token_table.bytes()),
      .position_table = bytes(*position_table, plan.position_table.bytes())};
}

}  // namespace hybridserve
