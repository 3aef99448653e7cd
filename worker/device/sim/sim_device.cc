#include "worker/device/sim/sim_device.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "common/dtype.h"
#include "kernels/ops.h"
#include "kernels/weight_layout.h"
#include "worker/device/sim/sim_buffer.h"
#include "worker/device/sim/sim_stream.h"

namespace hybridserve {
namespace {

constexpr int32_t kFirstToken = 4;

// splitmix64 (https://prng.di.unimi.it/splitmix64.c) of one input.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Elements in their order, as any dtype.
class SimLayout final : public WeightLayout {
 public:
  int64_t piece_alignment() const override { return 64; }
  int64_t PackedBytes(const WeightShape& shape) const override {
    return (shape.n * shape.k * SizeOf(shape.dtype) + 63) / 64 * 64;
  }
  absl::Status Pack(const WeightShape& /*shape*/, DType /*source*/,
                    absl::Span<const char> /*rows*/,
                    absl::Span<char> /*blob*/) const override {
    return absl::OkStatus();  // There is nothing to compute with.
  }
};

class SimOps final : public Ops {
 public:
  absl::Status Linear(Stream& stream, const LinearArgs& /*args*/) override {
    return Run(stream);
  }
  absl::Status LayerNorm(Stream& stream,
                         const LayerNormArgs& /*args*/) override {
    return Run(stream);
  }
  absl::Status Convert(Stream& stream, const ConvertArgs& /*args*/) override {
    return Run(stream);
  }
  absl::Status Rotary(Stream& stream, const RotaryArgs& /*args*/) override {
    return Run(stream);
  }
  absl::Status Attention(Stream& stream,
                         const AttentionArgs& /*args*/) override {
    return Run(stream);
  }
  absl::Status Sample(Stream& stream, const SampleArgs& args) override {
    auto* const tokens = reinterpret_cast<int32_t*>(
        BufferView{args.tokens.buffer, args.tokens.offset, 0}.address());
    const auto span = static_cast<uint64_t>(
        std::max<int64_t>(args.logits.cols - kFirstToken, 1));
    for (size_t i = 0; i < args.rows.size(); ++i) {
      const SampleRow& row = args.rows[i];
      const uint64_t hash = Mix(Mix(row.params.seed) + row.position);
      tokens[i] =
          std::min<int32_t>(kFirstToken + static_cast<int32_t>(hash % span),
                            static_cast<int32_t>(args.logits.cols - 1));
      if (row.params.top_log_probs == 0) continue;
      // There are no logits: no id is likelier than others.
      auto* const top = reinterpret_cast<int32_t*>(
          BufferView{args.top_tokens.buffer, args.top_tokens.offset, 0}
              .address());
      std::fill_n(top + i * kMaxTopLogProbs, kMaxTopLogProbs, -1);
    }
    return Run(stream);
  }
  absl::Status LogProb(Stream& stream, const LogProbArgs& /*args*/) override {
    return Run(stream);
  }

 private:
  static absl::Status Run(Stream& stream) {
    static_cast<SimStream&>(stream).Run();
    return absl::OkStatus();
  }
};

class SimDevice final : public Device {
 public:
  SimDevice(SimDeviceOptions options, SimClock& clock)
      : profile_(std::move(options.profile)),
        on_piece_(std::move(options.on_piece)),
        info_({.backend = "sim",
               .description = std::move(options.description),
               .isa = "none",
               .memory_bytes = options.memory_bytes,
               .one_memory = options.one_memory}),
        clock_(clock) {}

  const DeviceInfo& info() const override { return info_; }
  absl::StatusOr<std::unique_ptr<Buffer>> Allocate(MemorySpace space,
                                                   int64_t bytes) override {
    return SimBuffer::Create(space, bytes);
  }
  std::unique_ptr<Stream> CreateStream(StreamKind kind) override {
    return std::make_unique<SimStream>(kind, profile_, on_piece_, clock_);
  }
  std::unique_ptr<Event> CreateEvent() override {
    return std::make_unique<SimEvent>(clock_);
  }
  Ops& ops() override { return ops_; }
  const WeightLayout& weight_layout() const override { return layout_; }

 private:
  const WorkProfile profile_;
  const OnSimPiece on_piece_;
  const DeviceInfo info_;
  SimClock& clock_;
  SimOps ops_;
  SimLayout layout_;
};

}  // namespace

std::unique_ptr<Device> CreateSimDevice(SimDeviceOptions options,
                                        SimClock& clock) {
  return std::make_unique<SimDevice>(std::move(options), clock);
}

}  // namespace hybridserve
