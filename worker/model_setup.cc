#include "worker/model_setup.h"

#include <algorithm>
#include <cstdint>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "worker/device/cpu_device.h"
#include "worker/device/device_factory.h"
#include "worker/host_limit.h"
#include "worker/memory_planner.h"
#include "worker/model/model_folder.h"
#include "worker/model/weight_loader.h"
#include "worker/trace/tracing_device.h"

namespace hybridserve {
namespace {

// The size of a device whose memory only the plan limits.
constexpr int64_t kUnlimitedBytes = int64_t{1} << 60;

// The cpu device's own memory, if it has any, is the host's too.
bool DeviceIsOnHost(const DeviceInfo& device) {
  return device.backend == "cpu" && !device.one_memory;
}

bool HasNativeBFloat16() { return __builtin_cpu_supports("avx512bf16") > 0; }

absl::StatusOr<DType> ChooseDType(const WorkerOptions& options,
                                  const DeviceInfo& device,
                                  const ModelFolder& folder) {
  if (device.backend == "cuda") {  // Multiplies in all of them.
    return options.dtype.value_or(folder.checkpoint_dtype);
  }
  if (!options.dtype.has_value()) {
    const DType dtype = AutoDType(folder.checkpoint_dtype, HasNativeBFloat16());
    LOG(INFO) << "dtype=" << Name(dtype)
              << " checkpoint=" << Name(folder.checkpoint_dtype)
              << " native_bfloat16=" << HasNativeBFloat16();
    return dtype;
  }
  if (*options.dtype != DType::kFloat32 && *options.dtype != DType::kBFloat16) {
    return absl::InvalidArgumentError(absl::StrCat(
        "dtype: ", Name(*options.dtype), " is not computed on the cpu"));
  }
  return *options.dtype;
}

int LoadingThreads(const WorkerOptions& options) {
  if (options.threads > 0) return options.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

absl::StatusOr<MemoryPlan> PlanMemory(const WorkerOptions& options,
                                      const EngineResources& resources) {
  const DeviceInfo& device = resources.device->info();
  ASSIGN_OR_RETURN(const HostLimit host, ReadHostLimit());
  LOG(INFO) << "host_available_bytes=" << host.available_bytes
            << " limited_by=\"" << host.reason << "\"";
  return MakeMemoryPlan(
      {.config = &resources.config,
       .weights = &resources.plan,
       .device_memory = options.device_memory,
       .host_memory = options.host_memory,
       .staging_memory_bytes = options.staging_memory_bytes,
       .recompute_tokens = options.recompute_tokens,
       .resident_weights = options.resident_weights,
       .weight_buffers = options.weight_buffers,
       .block_tokens = options.block_tokens,
       .max_running = options.max_running,
       .one_memory = device.one_memory,
       .unpinned_cache = options.unpinned_cache,
       .device_on_host = DeviceIsOnHost(device),
       .device_available = device.memory_bytes,
       .device_reserved = device.reserved_bytes,
       .host_available = host.available_bytes,
       .loading_bytes =
           LoadingThreads(options) * resources.plan.MaxPieceElements() * 4});
}

absl::Status AllocateCache(EngineResources& resources) {
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
  return absl::OkStatus();
}

}  // namespace

DType AutoDType(DType checkpoint, bool native_bfloat16) {
  return checkpoint != DType::kFloat32 && native_bfloat16 ? DType::kBFloat16
                                                          : DType::kFloat32;
}

absl::StatusOr<std::unique_ptr<Device>> OpenWorkerDevice(
    const WorkerOptions& options) {
  DeviceOptions device = {
      .cpu = {.threads = options.threads,
              .link_bytes_per_second = options.link_bytes_per_second},
      .gpu = {.batch_invariant = options.batch_invariant}};
  if (!options.one_memory()) {
    device.cpu.device_memory_bytes =
        options.device_memory.choice == MemorySetting::Choice::kBytes
            ? options.device_memory.bytes
            : kUnlimitedBytes;
  }
  return CreateDevice(options.device, device);
}

absl::StatusOr<PlannedModel> PlanModel(const WorkerOptions& options,
                                       std::unique_ptr<Device> device) {
  PlannedModel model;
  model.resources = std::make_unique<EngineResources>();
  EngineResources& resources = *model.resources;
  resources.device = std::move(device);
  ASSIGN_OR_RETURN(model.folder,
                   OpenModelFolder(options.model_dir, options.random_weights));
  ASSIGN_OR_RETURN(
      const DType dtype,
      ChooseDType(options, resources.device->info(), model.folder));
  resources.config = model.folder.config;
  resources.block_tokens = options.block_tokens;
  resources.plan = MakeWeightPlan(resources.config, dtype,
                                  resources.device->weight_layout());
  ASSIGN_OR_RETURN(resources.memory, PlanMemory(options, resources));
  model.host_bytes =
      resources.memory.host_bytes() + (DeviceIsOnHost(resources.device->info())
                                           ? resources.memory.device_bytes()
                                           : 0);
  return model;
}

absl::StatusOr<LoadedModel> LoadModel(const WorkerOptions& options,
                                      const Clock& clock,
                                      const LoadCallback& progress) {
  if (progress != nullptr) progress("planning", 0, 0);
  LoadedModel model;
  ASSIGN_OR_RETURN(std::unique_ptr<Device> device, OpenWorkerDevice(options));
  if (!options.trace_file.empty()) {
    model.trace = std::make_unique<TraceWriter>();
    device = MakeTracingDevice(std::move(device), *model.trace, clock);
  }
  ASSIGN_OR_RETURN(PlannedModel planned, PlanModel(options, std::move(device)));
  model.resources = std::move(planned.resources);
  EngineResources& resources = *model.resources;
  ModelFolder& folder = planned.folder;
  for (absl::string_view line :
       absl::StrSplit(resources.memory.ToString(), '\n')) {
    LOG(INFO) << line;
  }
  LOG(INFO) << "planned_bytes=" << planned.host_bytes;
  ASSIGN_OR_RETURN(resources.weights,
                   HostWeights::Allocate(*resources.device, resources.plan));
  RETURN_IF_ERROR(AllocateCache(resources));
  LoadOptions load = {.num_threads = LoadingThreads(options), .clock = &clock};
  if (progress != nullptr) {
    load.progress = [&progress](int64_t done, int64_t total) {
      progress("loading", done, total);
    };
  }
  ASSIGN_OR_RETURN(
      model.weights_hash,
      LoadWeights(*folder.tensors, resources.config, folder.files.config_json,
                  resources.plan, resources.device->weight_layout(),
                  resources.weights.Spans(resources.plan), load));
  model.name = options.model_name.empty() ? ModelFolderName(options.model_dir)
                                          : options.model_name;
  model.files = std::move(folder.files);
  return model;
}

}  // namespace hybridserve
