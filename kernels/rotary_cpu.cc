// A row at a time: its turns once, then every head of it.

#include "kernels/rotary_cpu.h"

#include <cstring>

#include "kernels/rotary_angle.h"
#include "kernels/row_visits.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rotary_cpu.cc"
#include "hwy/foreach_target.h"  // Must come before highway.h.
#include "hwy/highway.h"
#include "kernels/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hybridserve {
namespace HWY_NAMESPACE {

// kLanes pairs: neither product is fused with the sum, as the definition.
template <typename T>
HWY_INLINE void TurnPairs(const float* cosines, const float* sines, T* first,
                          T* second) {
  const F32Tag d;
  const F32Vector cosine = hn::LoadU(d, cosines);
  const F32Vector sine = hn::LoadU(d, sines);
  const F32Vector a = LoadFloats(first);
  const F32Vector b = LoadFloats(second);
  StoreFloats(hn::Sub(hn::Mul(a, cosine), hn::Mul(b, sine)), first);
  StoreFloats(hn::Add(hn::Mul(b, cosine), hn::Mul(a, sine)), second);
}

template <typename T>
void TurnHead(const float* cosines, const float* sines, int64_t half, T* head) {
  constexpr auto kStep = static_cast<int64_t>(kLanes);
  int64_t i = 0;
  for (; i + kStep <= half; i += kStep) {
    TurnPairs(cosines + i, sines + i, head + i, head + half + i);
  }
  if (i == half) return;
  const auto left = static_cast<size_t>(half - i);
  T padded[2][kLanes] = {};
  std::memcpy(padded[0], head + i, left * sizeof(T));
  std::memcpy(padded[1], head + half + i, left * sizeof(T));
  TurnPairs(cosines + i, sines + i, padded[0], padded[1]);
  std::memcpy(head + i, padded[0], left * sizeof(T));
  std::memcpy(head + half + i, padded[1], left * sizeof(T));
}

void RotaryRow(const RotaryPointers& args, int64_t row) {
  const int32_t position = args.positions[row];
  if (position < 0) return;
  // Room for the last vector to read beyond the half.
  float cosines[kMaxRotaryHeadDim / 2 + kWide] = {};
  float sines[kMaxRotaryHeadDim / 2 + kWide] = {};
  const int64_t half = args.head_dim / 2;
  for (int64_t i = 0; i < half; ++i) {
    const Turn turn = TurnOf(static_cast<float>(position), args.frequencies[i]);
    cosines[i] = turn.cosine;
    sines[i] = turn.sine;
  }
  const int64_t first = row * args.x_stride;
  for (int64_t head = 0; head < args.num_heads; ++head) {
    const int64_t offset = first + head * args.head_dim;
    if (args.dtype == DType::kFloat32) {
      TurnHead(cosines, sines, half, static_cast<float*>(args.x) + offset);
    } else {
      TurnHead(cosines, sines, half, static_cast<uint16_t*>(args.x) + offset);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace hybridserve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hybridserve {

HWY_EXPORT(RotaryRow);

void RotaryCpu(const RotaryPointers& args, ThreadPool& pool) {
  const auto run = HWY_DYNAMIC_DISPATCH(RotaryRow);
  ForRowsByVisits(pool, args.rows, [&](int64_t row) { run(args, row); });
}

}  // namespace hybridserve
#endif  // HWY_ONCE
