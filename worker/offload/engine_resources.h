#ifndef HYBRIDSERVE_WORKER_OFFLOAD_ENGINE_RESOURCES_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_ENGINE_RESOURCES_H_

#include <cstdint>
#include <memory>

#include "common/model_config.h"
#include "kernels/device/device.h"
#include "worker/memory_plan.h"
#include "worker/model/host_weights.h"
#include "worker/model/weight_plan.h"
#include "worker/offload/cache_arena.h"
#include "worker/offload/cache_shape.h"
#include "worker/offload/step_limits.h"

namespace hybridserve {

// A model on a device: what an engine borrows for its life. The device is
// destroyed after everything made by it.
struct EngineResources {
  std::unique_ptr<Device> device;
  ModelConfig config;
  WeightPlan plan;
  MemoryPlan memory;
  HostWeights weights;
  CacheArenas arenas;
  int block_tokens = 16;

  CacheShape cache_shape() const {
    return CacheShape::Of(config, plan.dtype, block_tokens);
  }
  // Of weights and cache in host memory: what the driver did not pin.
  int64_t unpinned_bytes() const {
    return weights.unpinned_bytes() + arenas.host.unpinned_bytes();
  }
  StepLimits limits() const {
    return {.max_step_tokens = static_cast<int32_t>(memory.step.rows),
            .max_logit_rows = static_cast<int32_t>(memory.step.logit_rows),
            .max_recomputed_rows =
                static_cast<int32_t>(memory.step.recomputed_rows),
            .staging_half_slots = memory.staging_half_slots,
            .host_half_slots = memory.host_half_slots,
            .device_half_slots = memory.device_half_slots,
            .block_tokens = block_tokens,
            .vocab_size = config.vocab_size,
            .max_positions = config.max_positions,
            .act_pays = config.act_pays(),
            .one_memory = memory.one_memory};
  }
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_ENGINE_RESOURCES_H_
