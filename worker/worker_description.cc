#include "worker/worker_description.h"

#include "common/version.h"

namespace hybridserve {

WorkerInfo DescribeWorker(const EngineResources& resources) {
  const MemoryPlan& memory = resources.memory;
  const DeviceInfo& device = resources.device->info();
  WorkerInfo info;
  info.numerics = {.backend = device.backend,
                   .isa = device.isa,
                   .dtype = resources.plan.dtype,
                   .block_tokens = resources.block_tokens,
                   .build_id = BuildId()};
  info.device = device.description;
  info.pools.push_back({.tier = Tier::kHost,
                        .half_slots = memory.host_half_slots,
                        .half_slot_bytes = memory.half_slot_bytes});
  if (memory.device_half_slots > 0) {
    info.pools.push_back({.tier = Tier::kDevice,
                          .half_slots = memory.device_half_slots,
                          .half_slot_bytes = memory.half_slot_bytes});
  }
  const StepLimits limits = resources.limits();
  info.staging_half_slots = limits.staging_half_slots;
  info.max_step_tokens = limits.max_step_tokens;
  info.max_logit_rows = limits.max_logit_rows;
  info.max_recomputed_tokens = limits.max_recomputed_rows;
  info.unpinned_cache =
      memory.relay_bytes > 0 || resources.arenas.host.unpinned_bytes() > 0;
  info.layer_bytes = resources.plan.layer.bytes;
  info.head_slices = static_cast<int32_t>(resources.plan.head.slices.size());
  if (!memory.one_memory) {
    info.streamed_layer_bytes = memory.streamed_layer_bytes(resources.plan);
    info.streamed_head_bytes = memory.streamed_head_bytes(resources.plan);
  }
  return info;
}

}  // namespace hybridserve
