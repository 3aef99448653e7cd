// Two passes over a row for mean and variance, sums in 16 virtual lanes, then
// one to write. The row stays in the L1 or L2 cache between them.

#include "kernels/layer_norm_cpu.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/row_visits.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm_cpu.cc"
#include "hwy/foreach_target.h"  // Must come before highway.h.
#include "hwy/highway.h"
#include "kernels/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hybridserve {
namespace HWY_NAMESPACE {

// Calls chunk(from) for each 16 elements of [0, width) of `row`; a last, part
// chunk is copied and filled up with `fill`.
template <typename Chunk>
HWY_INLINE void ForChunks(const float* row, int64_t width, float fill,
                          const Chunk& chunk) {
  int64_t c = 0;
  for (; c + static_cast<int64_t>(kWide) <= width; c += kWide) chunk(row + c);
  if (c == width) return;
  HWY_ALIGN float padded[kWide];
  std::fill(padded, padded + kWide, fill);
  std::memcpy(padded, row + c, (width - c) * sizeof(float));
  chunk(padded);
}

float Mean(const float* row, int64_t width) {
  const F32Tag d;
  F32Vector sums[kVectors];
  for (F32Vector& sum : sums) sum = hn::Zero(d);
  ForChunks(row, width, 0.0F, [&](const float* from) HWY_ATTR {
    for (size_t v = 0; v < kVectors; ++v) {
      sums[v] = hn::Add(sums[v], hn::LoadU(d, from + v * kLanes));
    }
  });
  return SumWide(sums) / static_cast<float>(width);
}

float Variance(const float* row, int64_t width, float mean) {
  const F32Tag d;
  const F32Vector center = hn::Set(d, mean);
  F32Vector sums[kVectors];
  for (F32Vector& sum : sums) sum = hn::Zero(d);
  ForChunks(row, width, mean, [&](const float* from) HWY_ATTR {
    for (size_t v = 0; v < kVectors; ++v) {
      const F32Vector off = hn::Sub(hn::LoadU(d, from + v * kLanes), center);
      sums[v] = Fma(off, off, sums[v]);
    }
  });
  return SumWide(sums) / static_cast<float>(width);
}

// y = (x - mean) * scale * gain + bias over 16 elements.
template <typename Out>
HWY_INLINE void NormChunk(const float* x, const float* gain, const float* bias,
                          float mean, float scale, Out* y) {
  const F32Tag d;
  for (size_t i = 0; i < kWide; i += kLanes) {
    F32Vector v = hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean));
    v = hn::Mul(v, hn::Set(d, scale));
    if (gain != nullptr) v = hn::Mul(v, hn::LoadU(d, gain + i));
    if (bias != nullptr) v = hn::Add(v, hn::LoadU(d, bias + i));
    StoreFloats(v, y + i);
  }
}

template <typename Out>
void NormRow(const LayerNormPointers& args, const float* x, Out* y) {
  const float mean = args.center ? Mean(x, args.width) : 0.0F;
  const float variance = Variance(x, args.width, mean);
  const float scale = 1.0F / std::sqrt(variance + args.epsilon);
  const auto at = [](const float* base, int64_t c) {
    return base == nullptr ? nullptr : base + c;
  };
  int64_t c = 0;
  for (; c + static_cast<int64_t>(kWide) <= args.width; c += kWide) {
    NormChunk(x + c, at(args.gain, c), at(args.bias, c), mean, scale, y + c);
  }
  if (c == args.width) return;
  const size_t left = static_cast<size_t>(args.width - c);
  HWY_ALIGN float padded[3][kWide] = {};
  Out padded_y[kWide];
  std::memcpy(padded[0], x + c, left * sizeof(float));
  if (args.gain) std::memcpy(padded[1], args.gain + c, left * sizeof(float));
  if (args.bias) std::memcpy(padded[2], args.bias + c, left * sizeof(float));
  NormChunk(padded[0], args.gain ? padded[1] : nullptr,
            args.bias ? padded[2] : nullptr, mean, scale, padded_y);
  std::memcpy(y + c, padded_y, left * sizeof(Out));
}

void LayerNormRow(const LayerNormPointers& args, int64_t row) {
  const float* x = args.x + row * args.x_stride;
  if (args.y_dtype == DType::kFloat32) {
    NormRow(args, x, static_cast<float*>(args.y) + row * args.y_stride);
  } else {
    NormRow(args, x, static_cast<uint16_t*>(args.y) + row * args.y_stride);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace hybridserve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hybridserve {

HWY_EXPORT(LayerNormRow);

void LayerNormCpu(const LayerNormPointers& args, ThreadPool& pool) {
  const auto run = HWY_DYNAMIC_DISPATCH(LayerNormRow);
  ForRowsByVisits(pool, args.rows, [&](int64_t row) { run(args, row); });
}

}  // namespace hybridserve
#endif  // HWY_ONCE
