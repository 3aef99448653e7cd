#include "worker/profile/startup_rates.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/status_macros.h"
#include "kernels/device/device.h"
#include "kernels/ops.h"

namespace hybridserve {
namespace {

constexpr int64_t kCopyBytes = int64_t{8} << 20;
constexpr int64_t kGemmRows = 256;
constexpr int kRepeats = 3;

// The shortest of some runs after a warm-up, at least a nanosecond.
absl::StatusOr<absl::Duration> Time(const Clock& clock, Stream& stream,
                                    absl::FunctionRef<absl::Status()> queue) {
  absl::Duration best = absl::InfiniteDuration();
  for (int run = 0; run <= kRepeats; ++run) {
    const absl::Time start = clock.Now();
    RETURN_IF_ERROR(queue());
    RETURN_IF_ERROR(stream.Synchronize());
    if (run > 0) best = std::min(best, clock.Now() - start);
  }
  return std::max(best, absl::Nanoseconds(1));
}

// Bytes a second between a host and a device buffer.
absl::StatusOr<double> CopyRate(Device& device, const Clock& clock,
                                StreamKind direction, int64_t bytes) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> host,
                   device.Allocate(MemorySpace::kHost, bytes));
  ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> on_device,
                   device.Allocate(MemorySpace::kDevice, bytes));
  const std::unique_ptr<Stream> stream = device.CreateStream(direction);
  const BufferView host_view = {host.get(), 0, bytes};
  const BufferView device_view = {on_device.get(), 0, bytes};
  const CopyRun run = direction == StreamKind::kCopyIn
                          ? CopyRun{.dst = device_view, .src = host_view}
                          : CopyRun{.dst = host_view, .src = device_view};
  ASSIGN_OR_RETURN(const absl::Duration time, Time(clock, *stream, [&] {
                     return stream->Copy({&run, 1});
                   }));
  return static_cast<double>(bytes) / absl::ToDoubleSeconds(time);
}

// FLOP a second of keys = ACT rows x W_K^T, layer 0's.
absl::StatusOr<double> GemmRate(const EngineResources& resources,
                                const Clock& clock, int64_t rows) {
  Device& device = *resources.device;
  const LayerPlan& layer = resources.plan.layer;
  const int64_t h = resources.config.hidden;
  const int64_t kv = resources.config.kv_width();
  const int64_t element = SizeOf(resources.plan.dtype);
  int64_t weight_bytes = 0;
  for (const WeightPiece& piece : layer.pieces) {
    if (piece.weight == LinearWeight::kKey) weight_bytes += piece.bytes;
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> x,
                   device.Allocate(MemorySpace::kDevice, rows * h * element));
  ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> y,
                   device.Allocate(MemorySpace::kDevice, rows * kv * element));
  ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> weight,
                   device.Allocate(MemorySpace::kDevice, weight_bytes));
  const std::unique_ptr<Stream> stream =
      device.CreateStream(StreamKind::kCompute);
  // W_K leads the layer's pieces, which lie side by side.
  const CopyRun load = {.dst = {weight.get(), 0, weight_bytes},
                        .src = {resources.weights.layers.get(),
                                layer.vector_bytes, weight_bytes}};
  RETURN_IF_ERROR(stream->Copy({&load, 1}));
  const TensorView x_view =
      MakeTensor({x.get(), 0, x->size()}, resources.plan.dtype, rows, h);
  const TensorView y_view =
      MakeTensor({y.get(), 0, y->size()}, resources.plan.dtype, rows, kv);
  ASSIGN_OR_RETURN(
      const absl::Duration time, Time(clock, *stream, [&]() -> absl::Status {
        for (const WeightPiece& piece : layer.pieces) {
          if (piece.weight != LinearWeight::kKey) continue;
          RETURN_IF_ERROR(device.ops().Linear(
              *stream,
              {.x = x_view,
               .weight = {weight.get(), piece.offset - layer.vector_bytes,
                          piece.bytes},
               .shape = piece.shape,
               .y = y_view.Cols(piece.first_row, piece.shape.n)}));
        }
        return absl::OkStatus();
      }));
  return 2.0 * static_cast<double>(rows * h * kv) / absl::ToDoubleSeconds(time);
}

}  // namespace

absl::StatusOr<WorkerProfile> MeasureStartupRates(
    const EngineResources& resources, const Clock& clock) {
  WorkerProfile profile;
  const MemoryPlan& memory = resources.memory;
  if (memory.one_memory) {
    profile.link_bytes_per_second = std::numeric_limits<double>::infinity();
    profile.copy_out_bytes_per_second = profile.link_bytes_per_second;
  } else {
    const int64_t bytes =
        std::min(kCopyBytes, memory.staging_areas * memory.staging_half_slots *
                                 memory.half_slot_bytes);
    ASSIGN_OR_RETURN(
        profile.link_bytes_per_second,
        CopyRate(*resources.device, clock, StreamKind::kCopyIn, bytes));
    ASSIGN_OR_RETURN(
        profile.copy_out_bytes_per_second,
        CopyRate(*resources.device, clock, StreamKind::kCopyOut, bytes));
  }
  const int64_t rows =
      std::min<int64_t>(kGemmRows, resources.config.max_positions);
  ASSIGN_OR_RETURN(profile.gemm_flops_per_second,
                   GemmRate(resources, clock, rows));
  return profile;
}

}  // namespace hybridserve
