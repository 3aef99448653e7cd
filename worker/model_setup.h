#ifndef HYBRIDSERVE_WORKER_MODEL_SETUP_H_
#define HYBRIDSERVE_WORKER_MODEL_SETUP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/dtype.h"
#include "common/worker_info.h"
#include "kernels/device/device.h"
#include "worker/model/model_folder.h"
#include "worker/offload/engine_resources.h"
#include "worker/trace/trace_writer.h"
#include "worker/worker_options.h"

namespace hybridserve {

// A model in memory, and what its folder said.
struct LoadedModel {
  std::unique_ptr<TraceWriter> trace;  // Null: the device does not trace.
  std::unique_ptr<EngineResources> resources;
  std::string name;
  ModelFiles files;
  std::string weights_hash;
};

// `phase` ("planning", "loading"), then bytes done and in all.
using LoadCallback =
    std::function<void(const std::string& phase, int64_t, int64_t)>;

// A model that fits: its folder opened, none of its weights read, and its
// memory planned, none of it allocated.
struct PlannedModel {
  ModelFolder folder;
  // Device, config and plans; neither weights nor arenas.
  std::unique_ptr<EngineResources> resources;
  // What the plan takes of the host's memory, a modelled device's included.
  int64_t host_bytes = 0;
};

// The device that `options` name. The errors are CreateDevice's.
absl::StatusOr<std::unique_ptr<Device>> OpenWorkerDevice(
    const WorkerOptions& options);

// What LoadModel() does before it allocates. The errors are Worker::Create's.
absl::StatusOr<PlannedModel> PlanModel(const WorkerOptions& options,
                                       std::unique_ptr<Device> device);

// Opens the model's folder and a device, plans the memory, logs the plan,
// allocates and loads. The errors are Worker::Create's. `progress` may be null;
// `clock` is borrowed and outlives the model.
absl::StatusOr<LoadedModel> LoadModel(const WorkerOptions& options,
                                      const Clock& clock,
                                      const LoadCallback& progress);

// What dtype=auto means for a checkpoint on the cpu: float32 for F32; for BF16
// and F16 ones bfloat16 where the cpu multiplies it natively.
DType AutoDType(DType checkpoint, bool native_bfloat16);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_SETUP_H_
