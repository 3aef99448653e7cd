#include "worker/testing/engine_harness.h"

#include <cstring>
#include <random>
#include <utility>

#include "common/status_macros.h"
#include "glog/logging.h"
#include "worker/device/cpu_device.h"
#include "worker/memory_planner.h"
#include "worker/model/decoder.h"
#include "worker/offload/alias_buffer.h"

namespace hybridserve {
namespace {

// Device memory beyond the plan's, for CachedKv() to rebuild a row in.
constexpr int64_t kProbeBytes = 64 << 10;

// Weights of one layer on the host, packed: what an idle engine streams from.
class HostLayerWeights final : public LayerWeights {
 public:
  HostLayerWeights(const EngineResources& resources, int64_t layer)
      : plan_(resources.plan.layer),
        alias_(*resources.weights.layers),
        blob_{&alias_, layer * plan_.bytes, plan_.bytes} {}

  absl::StatusOr<TensorView> Vector(LayerVector which) override {
    const VectorSlot& slot = plan_.vector(which);
    if (slot.size == 0) return TensorView{};
    return MakeTensor(blob_.Slice(slot.offset, slot.size * 4), DType::kFloat32,
                      1, slot.size);
  }
  absl::StatusOr<std::vector<PlacedPiece>> Matrix(LinearWeight which) override {
    std::vector<PlacedPiece> placed;
    for (const WeightPiece& piece : plan_.pieces) {
      if (piece.weight != which) continue;
      placed.push_back({piece, blob_.Slice(piece.offset, piece.bytes)});
    }
    return placed;
  }

 private:
  const LayerPlan& plan_;
  const AliasBuffer alias_;
  const BufferView blob_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EngineHarness>> EngineHarness::Create(
    const TestModel& model, const HarnessOptions& options) {
  std::unique_ptr<EngineHarness> harness(new EngineHarness());
  harness->resources_ = std::make_unique<EngineResources>();
  EngineResources& resources = *harness->resources_;
  const bool one_memory =
      options.device_memory.choice == MemorySetting::Choice::kAuto;
  CpuDeviceOptions device_options = {
      .threads = options.threads,
      .link_bytes_per_second = options.link_bytes_per_second};
  if (!one_memory) {
    device_options.device_memory_bytes =
        options.device_memory.choice == MemorySetting::Choice::kBytes
            ? options.device_memory.bytes + kProbeBytes
            : int64_t{1} << 30;
  }
  ASSIGN_OR_RETURN(resources.device, options.make_device
                                         ? options.make_device()
                                         : CreateCpuDevice(device_options));
  resources.config = model.config;
  resources.block_tokens = options.block_tokens;
  resources.plan =
      MakeWeightPlan(resources.config, options.dtype,
                     resources.device->weight_layout(), options.pieces);
  ASSIGN_OR_RETURN(resources.memory,
                   MakeMemoryPlan({.config = &resources.config,
                                   .weights = &resources.plan,
                                   .device_memory = options.device_memory,
                                   .recompute_tokens = options.recompute_tokens,
                                   .weight_buffers = options.weight_buffers,
                                   .block_tokens = options.block_tokens,
                                   .max_running = options.max_running,
                                   .one_memory = one_memory,
                                   .unpinned_cache = options.unpinned_cache,
                                   .device_on_host = !one_memory,
                                   .device_available = int64_t{1} << 30,
                                   .host_available = int64_t{1} << 30}));
  if (options.relay_bytes > 0) {
    resources.memory.relay_bytes = options.relay_bytes;
  }
  ASSIGN_OR_RETURN(resources.weights,
                   model.Pack(*resources.device, resources.plan));
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
  ASSIGN_OR_RETURN(harness->engine_,
                   Engine::Create(resources, harness->epoch_, harness->clock_));
  EngineHarness* const raw = harness.get();
  harness->engine_->Start(
      [raw](StepResult result) { raw->driver_->OnResult(std::move(result)); });
  return harness;
}

EngineHarness::~EngineHarness() {
  if (engine_ != nullptr) engine_->Stop();
}

std::vector<DriverOutput> EngineHarness::Run(
    const std::vector<DriverRequest>& requests, DriverOptions options) {
  options.epoch = ++epoch_;
  driver_ = std::make_unique<PlanDriver>(
      resources_->limits(), options,
      [this](StepPlan plan) { engine_->Submit(std::move(plan)); });
  driver_->set_keep_blocks(true);
  engine_->Reset(options.epoch);
  return driver_->Run(requests);
}

std::vector<char> EngineHarness::CachedKv(const BlockRef& block, int64_t layer,
                                          int64_t position) {
  if (block.kind == CacheKind::kTokens) return {};
  // An idle cpu device's memory may be read by any op, wherever it lies.
  Device& device = *resources_->device;
  const CacheShape shape = resources_->cache_shape();
  const int64_t row_in_block = position % shape.block_tokens;
  const CacheArena& arena = resources_->arenas.of(block.tier);
  const std::unique_ptr<Stream> stream =
      device.CreateStream(StreamKind::kCompute);
  const int64_t kv_bytes = shape.kv_row_bytes();
  const std::unique_ptr<Buffer> out =
      device.Allocate(MemorySpace::kHost, 2 * kv_bytes).value();
  const std::unique_ptr<Buffer> rows =
      device.Allocate(MemorySpace::kDevice, 2 * kv_bytes).value();
  if (block.kind == CacheKind::kAct) {
    const int64_t act_bytes = shape.act_row_bytes();
    const std::unique_ptr<Buffer> act =
        device.Allocate(MemorySpace::kDevice, act_bytes).value();
    const CopyRun load = {
        .dst = {act.get(), 0, act_bytes},
        .src = arena.View(layer, block.first, row_in_block * act_bytes,
                          act_bytes)};
    CHECK(stream->Copy({&load, 1}).ok());
    HostLayerWeights weights(*resources_, layer);
    Decoder decoder(resources_->config, shape.dtype, shape.block_tokens,
                    device.ops(), *stream);
    const auto row = [&](int64_t offset) {
      return MakeTensor({rows.get(), offset, kv_bytes}, shape.dtype, 1,
                        shape.kv_width);
    };
    CHECK(decoder
              .RebuildKv(weights,
                         MakeTensor({act.get(), 0, act_bytes}, shape.dtype, 1,
                                    shape.act_width),
                         row(0), row(kv_bytes),
                         {static_cast<int32_t>(position)})
              .ok());
    const CopyRun take = {.dst = {out.get(), 0, 2 * kv_bytes},
                          .src = {rows.get(), 0, 2 * kv_bytes}};
    CHECK(stream->Copy({&take, 1}).ok());
    CHECK(stream->Synchronize().ok());
  } else {
    const auto run = [&](HalfSlot slot, int64_t offset) {
      return CopyRun{
          .dst = {out.get(), offset, kv_bytes},
          .src = arena.View(layer, slot, row_in_block * kv_bytes, kv_bytes)};
    };
    const CopyRun runs[] = {run(block.first, 0), run(block.second, kv_bytes)};
    CHECK(stream->Copy(runs).ok());
    CHECK(stream->Synchronize().ok());
  }
  const auto bytes = out->host_bytes();
  return {bytes.begin(), bytes.end()};
}

std::vector<int32_t> RandomTokens(int64_t count, int64_t vocab, uint32_t seed) {
  std::mt19937 rng(seed);
  std::vector<int32_t> tokens(count);
  for (int32_t& token : tokens) token = static_cast<int32_t>(rng() % vocab);
  return tokens;
}

}  // namespace hybridserve
