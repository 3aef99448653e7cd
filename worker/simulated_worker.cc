#include "worker/simulated_worker.h"

#include "common/model_config_json.h"
#include "common/status_macros.h"
#include "worker/device/sim/sim_device.h"
#include "worker/memory_planner.h"
#include "worker/profile/worker_profile.h"
#include "worker/worker_description.h"

namespace hybridserve {

absl::StatusOr<std::unique_ptr<SimulatedWorker>> SimulatedWorker::Create(
    SimulatedWorkerOptions options, SimClock& clock) {
  std::unique_ptr<SimulatedWorker> worker(new SimulatedWorker());
  EngineResources& resources = worker->resources_;
  resources.device = CreateSimDevice({.description = options.description,
                                      .profile = options.profile,
                                      .memory_bytes = options.device_bytes,
                                      .one_memory = options.one_memory},
                                     clock);
  ASSIGN_OR_RETURN(resources.config, ParseModelConfig(options.config_json));
  resources.block_tokens = options.block_tokens;
  resources.plan = MakeWeightPlan(resources.config, options.dtype,
                                  resources.device->weight_layout());
  ASSIGN_OR_RETURN(
      resources.memory,
      MakeMemoryPlan({.config = &resources.config,
                      .weights = &resources.plan,
                      .device_memory = options.device_memory,
                      .host_memory = options.host_memory,
                      .staging_memory_bytes = options.staging_memory_bytes,
                      .recompute_tokens = options.recompute_tokens,
                      .resident_weights = options.resident_weights,
                      .weight_buffers = options.weight_buffers,
                      .block_tokens = options.block_tokens,
                      .max_running = options.max_running,
                      .one_memory = options.one_memory,
                      .unpinned_cache = options.unpinned_cache,
                      .device_available = options.device_bytes,
                      .host_available = options.host_bytes}));
  ASSIGN_OR_RETURN(resources.weights,
                   HostWeights::Allocate(*resources.device, resources.plan));
  const MemoryPlan& memory = resources.memory;
  ASSIGN_OR_RETURN(
      resources.arenas.host,
      CacheArena::Create(*resources.device,
                         CacheArena::HostSpace(memory.one_memory),
                         resources.plan.num_layers, memory.host_half_slots,
                         memory.half_slot_bytes));
  ASSIGN_OR_RETURN(
      resources.arenas.device,
      CacheArena::Create(*resources.device, MemorySpace::kDevice,
                         resources.plan.num_layers, memory.device_half_slots,
                         memory.half_slot_bytes));
  ASSIGN_OR_RETURN(worker->engine_, DirectEngine::Create(resources, clock));

  WorkerInfo& info = worker->info_;
  info = DescribeWorker(resources);
  info.name = "simulated";
  info.epoch = 1;
  info.model_name = "simulated";
  info.files.config_json = std::move(options.config_json);
  info.profile =
      WithRates(std::move(options.registered).value_or(options.profile),
                resources.config);
  return worker;
}

}  // namespace hybridserve
