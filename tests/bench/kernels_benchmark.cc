// The cpu kernels against what one core can do: GFLOP/s and GB/s beside the
// machine's peaks, measured the same way in the same run. One thread; times
// are of the thread, so that company on the machine shows less.
//
//   bazel run --config=opt //tests/bench:kernels_benchmark

#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/status/status.h"
#include "benchmark/benchmark.h"
#include "common/dtype.h"
#include "hwy/aligned_allocator.h"
#include "kernels/attention_cpu.h"
#include "kernels/cpu_linear.h"
#include "kernels/element_convert.h"
#include "kernels/linear_cpu.h"
#include "kernels/thread_pool.h"
#include "kernels/weight_layout.h"
#include "tests/bench/machine_peak.h"

namespace hybridserve {
namespace {

using benchmark::Counter;

constexpr int64_t kFlushBytes = 64 << 20;  // More than the last-level cache.

// Aligned bytes, with pages present.
class Bytes {
 public:
  explicit Bytes(int64_t size)
      : bytes_(hwy::AllocateAligned<char>(size > 0 ? size : 1)) {
    std::memset(bytes_.get(), 0, size);
  }
  char* get() const { return bytes_.get(); }

 private:
  hwy::AlignedFreeUniquePtr<char[]> bytes_;
};

// `count` elements around 1, so that nothing overflows or goes subnormal.
Bytes Elements(int64_t count, DType dtype) {
  std::vector<float> floats(count);
  for (int64_t i = 0; i < count; ++i) {
    floats[i] = 1.0F + static_cast<float>(i % 127) / 128;
  }
  Bytes bytes(count * SizeOf(dtype));
  ConvertElements(DType::kFloat32, floats.data(), dtype, bytes.get(), count);
  return bytes;
}

DType DTypeOf(int64_t argument) {
  return argument == 0 ? DType::kFloat32 : DType::kBFloat16;
}

void FusedMultiplyAddPeak(benchmark::State& state) {
  double flop = 0;
  for (auto _ : state) flop += RunFusedMultiplyAdds();
  state.counters["GFLOP/s"] = Counter(flop / 1e9, Counter::kIsRate);
}
BENCHMARK(FusedMultiplyAddPeak);

void MemoryReadPeak(benchmark::State& state) {
  const Bytes bytes = Elements(kFlushBytes / 4, DType::kFloat32);
  for (auto _ : state) {
    benchmark::DoNotOptimize(SumFloats(
        reinterpret_cast<const float*>(bytes.get()), kFlushBytes / 4));
  }
  state.SetBytesProcessed(state.iterations() * kFlushBytes);
}
BENCHMARK(MemoryReadPeak);

// Weights in turn from as many copies as make them cold, as a streamed layer's
// are.
void Linear(benchmark::State& state) {
  const int64_t m = state.range(0);
  const int64_t n = state.range(1);
  const int64_t k = state.range(2);
  const DType dtype = DTypeOf(state.range(3));
  static const CpuLinear& linear = *new CpuLinear;  // Probes once.
  const WeightShape shape{n, k, dtype};
  const int64_t blob_bytes = linear.PackedBytes(shape);
  const int64_t copies = 1 + kFlushBytes / blob_bytes;
  const Bytes weight = Elements(n * k, dtype);
  const Bytes blobs(copies * blob_bytes);
  for (int64_t copy = 0; copy < copies; ++copy) {
    const absl::Status packed = linear.Pack(
        shape, dtype,
        {weight.get(), static_cast<size_t>(n * k * SizeOf(dtype))},
        {blobs.get() + copy * blob_bytes, static_cast<size_t>(blob_bytes)});
    if (!packed.ok()) return state.SkipWithError("pack");
  }
  const Bytes x = Elements(m * k, dtype);
  const Bytes y(m * n * 4);
  ThreadPool pool(1);
  int64_t copy = 0;
  for (auto _ : state) {
    linear.Run({.x = x.get(),
                .x_stride = k,
                .weight = blobs.get() + copy * blob_bytes,
                .dtype = dtype,
                .bias = nullptr,
                .y = y.get(),
                .y_stride = n,
                .y_dtype = DType::kFloat32,
                .m = m,
                .n = n,
                .k = k},
               pool);
    copy = (copy + 1) % copies;
  }
  const double flop = 2.0 * static_cast<double>(m * n * k);
  const double runs = static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = Counter(runs * flop / 1e9, Counter::kIsRate);
  state.SetBytesProcessed(state.iterations() * blob_bytes);
  state.SetLabel(linear.description());
}
BENCHMARK(Linear)
    ->ArgNames({"m", "n", "k", "bf16"})
    ->ArgsProduct({{1, 4, 16, 64, 512}, {3072}, {768}, {0, 1}})
    ->ArgsProduct({{1, 64, 512}, {768}, {3072}, {0, 1}});

// OPT-125M's heads; `rows` new positions after `cached`.
void Attention(benchmark::State& state) {
  constexpr int64_t kHeads = 12;
  constexpr int64_t kHeadDim = 64;
  constexpr int64_t kWidth = kHeads * kHeadDim;
  constexpr int64_t kBlockTokens = 16;
  const int64_t rows = state.range(0);
  const int64_t cached = state.range(1);
  const DType dtype = DTypeOf(state.range(2));
  const Bytes q = Elements(rows * kWidth, dtype);
  const Bytes out(rows * kWidth * 4);
  const Bytes blocks = Elements(2 * cached * kWidth, dtype);
  const int64_t half = kBlockTokens * kWidth * SizeOf(dtype);
  AttentionCpuSequence sequence{
      .first_row = 0, .num_rows = rows, .num_cached = cached, .blocks = {}};
  for (int64_t block = 0; block < cached / kBlockTokens; ++block) {
    const char* k = blocks.get() + 2 * block * half;
    sequence.blocks.push_back({k, k + half});
  }
  ThreadPool pool(1);
  for (auto _ : state) {
    AttentionCpu({{.dtype = dtype,
                   .q = q.get(),
                   .q_stride = kWidth,
                   .new_k = q.get(),
                   .new_k_stride = kWidth,
                   .new_v = q.get(),
                   .new_v_stride = kWidth,
                   .out = out.get(),
                   .out_stride = kWidth,
                   .num_heads = kHeads,
                   .num_kv_heads = kHeads,
                   .head_dim = kHeadDim,
                   .block_tokens = kBlockTokens,
                   .scale = 0.125F},
                  {sequence}},
                 pool);
  }
  const double pairs =
      static_cast<double>(rows) *
      (static_cast<double>(cached) + static_cast<double>(rows + 1) / 2.0);
  const double runs = static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] =
      Counter(runs * 4 * pairs * kWidth / 1e9, Counter::kIsRate);
  state.SetBytesProcessed(state.iterations() * 2 * (cached + rows) * kWidth *
                          SizeOf(dtype));
}
BENCHMARK(Attention)
    ->ArgNames({"rows", "cached", "bf16"})
    ->ArgsProduct({{1, 64}, {1024}, {0, 1}})
    ->Args({256, 0, 0});

}  // namespace
}  // namespace hybridserve
