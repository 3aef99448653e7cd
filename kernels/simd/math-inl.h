// Vector arithmetic that gives the same bits on every Highway target. Included
// by each *_cpu.cc once per target; see hwy/foreach_target.h.
//
// Rules that keep the bits equal: multiply-adds are fused on every target;
// sums are over 16 virtual lanes, however many vectors those take, and end in
// one fixed tree; nothing is left to the compiler to contract
// (-ffp-contract=off in BUILD.bazel).

#if defined(HYBRIDSERVE_KERNELS_SIMD_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HYBRIDSERVE_KERNELS_SIMD_MATH_INL_H_
#undef HYBRIDSERVE_KERNELS_SIMD_MATH_INL_H_
#else
#define HYBRIDSERVE_KERNELS_SIMD_MATH_INL_H_
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace hybridserve {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The widest vector in use, at most 16 floats.
using F32Tag = hn::CappedTag<float, 16>;
using U32Tag = hn::Rebind<uint32_t, F32Tag>;
using I32Tag = hn::Rebind<int32_t, F32Tag>;
using F32Vector = hn::Vec<F32Tag>;
using U32Vector = hn::Vec<U32Tag>;

inline constexpr size_t kLanes = hn::MaxLanes(F32Tag());
// The width of every sum and of a weight panel, and the vectors it takes.
inline constexpr size_t kWide = 16;
inline constexpr size_t kVectors = kWide / kLanes;

// a * b + c, rounded once. Targets without the instruction go through the C
// library a lane at a time: slow, with the same bits.
HWY_INLINE F32Vector Fma(F32Vector a, F32Vector b, F32Vector c) {
#if HWY_NATIVE_FMA
  return hn::MulAdd(a, b, c);
#else
  const F32Tag d;
  HWY_ALIGN float lanes[3][kLanes];
  hn::Store(a, d, lanes[0]);
  hn::Store(b, d, lanes[1]);
  hn::Store(c, d, lanes[2]);
  for (size_t i = 0; i < kLanes; ++i) {
    lanes[0][i] = std::fma(lanes[0][i], lanes[1][i], lanes[2][i]);
  }
  return hn::Load(d, lanes[0]);
#endif
}

// The floats whose upper halves are the low or the high 16 bits of each lane.
HWY_INLINE F32Vector LowBFloat16(U32Vector pair) {
  return hn::BitCast(F32Tag(), hn::ShiftLeft<16>(pair));
}
HWY_INLINE F32Vector HighBFloat16(U32Vector pair) {
  return hn::BitCast(F32Tag(), hn::And(pair, hn::Set(U32Tag(), 0xFFFF0000U)));
}

// kLanes consecutive elements as floats.
HWY_INLINE F32Vector LoadFloats(const float* from) {
  return hn::LoadU(F32Tag(), from);
}
HWY_INLINE F32Vector LoadFloats(const uint16_t* bfloat16) {
  const hn::Rebind<uint16_t, F32Tag> d16;
  const U32Vector bits = hn::PromoteTo(U32Tag(), hn::LoadU(d16, bfloat16));
  return LowBFloat16(bits);
}

// Stores kLanes floats, rounded to nearest even (NaN stays NaN).
HWY_INLINE void StoreFloats(F32Vector v, float* to) {
  hn::StoreU(v, F32Tag(), to);
}
HWY_INLINE void StoreFloats(F32Vector v, uint16_t* bfloat16) {
  const U32Tag d;
  const hn::Rebind<uint16_t, F32Tag> d16;
  const U32Vector bits = hn::BitCast(d, v);
  const U32Vector odd =
      hn::And(hn::ShiftRight<16>(bits), hn::Set(d, uint32_t{1}));
  const U32Vector rounded = hn::ShiftRight<16>(
      hn::Add(bits, hn::Add(odd, hn::Set(d, uint32_t{0x7FFF}))));
  const U32Vector quiet =
      hn::Or(hn::ShiftRight<16>(bits), hn::Set(d, uint32_t{0x40}));
  const auto is_nan = hn::RebindMask(d, hn::IsNaN(v));
  const U32Vector result = hn::IfThenElse(is_nan, quiet, rounded);
  // Every value is below 2^16: the saturating narrowing is exact.
  hn::StoreU(hn::DemoteTo(d16, hn::BitCast(I32Tag(), result)), d16, bfloat16);
}

// The sum of 16 virtual lanes by one fixed tree: first i + (i + 8), then
// i + (i + 4), i + (i + 2), i + (i + 1). SumFourWide: of four such at once.
#if HWY_TARGET == HWY_SCALAR
HWY_INLINE float SumWide(const F32Vector (&v)[kVectors]) {
  float sum[kWide];
  for (size_t i = 0; i < kWide; ++i) sum[i] = hn::GetLane(v[i]);
  for (size_t width = kWide / 2; width > 0; width /= 2) {
    for (size_t i = 0; i < width; ++i) sum[i] += sum[i + width];
  }
  return sum[0];
}
HWY_INLINE void SumFourWide(const F32Vector (&v)[4][kVectors], float* sums) {
  for (size_t i = 0; i < 4; ++i) sums[i] = SumWide(v[i]);
}
#else
using Quad = hn::FixedTag<float, 4>;
template <class V>
HWY_INLINE hn::Vec<Quad> SumToQuad(const V (&v)[kVectors]) {
  if constexpr (kVectors == 4) {
    return hn::Add(hn::Add(v[0], v[2]), hn::Add(v[1], v[3]));
  } else if constexpr (kVectors == 2) {
    const V eight = hn::Add(v[0], v[1]);
    return hn::Add(hn::LowerHalf(Quad(), eight), hn::UpperHalf(Quad(), eight));
  } else {
    const hn::Half<hn::DFromV<V> > half;
    const auto eight =
        hn::Add(hn::LowerHalf(half, v[0]), hn::UpperHalf(half, v[0]));
    return hn::Add(hn::LowerHalf(Quad(), eight), hn::UpperHalf(Quad(), eight));
  }
}
HWY_INLINE void SumFourWide(const F32Vector (&v)[4][kVectors], float* sums) {
  const Quad d;
  const auto a = SumToQuad(v[0]);
  const auto b = SumToQuad(v[1]);
  const auto c = SumToQuad(v[2]);
  const auto e = SumToQuad(v[3]);
  // {a0 + a2, b0 + b2, a1 + a3, b1 + b3}, and so for c and e.
  const auto ab =
      hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  const auto ce =
      hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
  hn::StoreU(
      hn::Add(hn::ConcatLowerLower(d, ce, ab), hn::ConcatUpperUpper(d, ce, ab)),
      d, sums);
}
HWY_INLINE float SumWide(const F32Vector (&v)[kVectors]) {
  HWY_ALIGN float lanes[4];
  hn::Store(SumToQuad(v), Quad(), lanes);
  return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
}
#endif

// e^x within 2 units in the last place; 0 below -87.3, infinity above 88.7,
// NaN for NaN. Cephes' expf: x = n ln 2 + r, a degree 6 polynomial in r.
HWY_INLINE F32Vector Exp(F32Vector x) {
  const F32Tag d;
  const F32Vector lowest = hn::Set(d, -87.33654F);
  const F32Vector highest = hn::Set(d, 88.72283F);
  const F32Vector in_range = hn::Min(hn::Max(x, lowest), highest);
  const F32Vector n =
      hn::Round(hn::Mul(in_range, hn::Set(d, 1.44269504088896341F)));
  F32Vector r = Fma(n, hn::Set(d, -0.693359375F), in_range);
  r = Fma(n, hn::Set(d, 2.12194440e-4F), r);
  F32Vector p = hn::Set(d, 1.9875691500e-4F);
  p = Fma(p, r, hn::Set(d, 1.3981999507e-3F));
  p = Fma(p, r, hn::Set(d, 8.3334519073e-3F));
  p = Fma(p, r, hn::Set(d, 4.1665795894e-2F));
  p = Fma(p, r, hn::Set(d, 1.6666665459e-1F));
  p = Fma(p, r, hn::Set(d, 5.0000001201e-1F));
  p = Fma(hn::Mul(r, r), p, hn::Add(r, hn::Set(d, 1.0F)));
  // 2^n in two halves: n = 128 alone is not a float.
  const I32Tag di;
  const auto whole = hn::ConvertTo(di, n);
  const auto first = hn::ShiftRight<1>(whole);
  const auto second = hn::Sub(whole, first);
  const auto bias = hn::Set(di, 127);
  const auto power = [&](auto e) {
    return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(e, bias)));
  };
  F32Vector y = hn::Mul(hn::Mul(p, power(first)), power(second));
  y = hn::IfThenElse(hn::Lt(x, lowest), hn::Zero(d), y);
  y = hn::IfThenElse(hn::Gt(x, highest), hn::Inf(d), y);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

// erf(x) within 4 units in the last place: x P(x^2) / Q(x^2) on [-4, 4], the
// rational function that Eigen and XLA use.
HWY_INLINE F32Vector Erf(F32Vector x) {
  const F32Tag d;
  const F32Vector c = hn::Min(hn::Max(x, hn::Set(d, -4.0F)), hn::Set(d, 4.0F));
  const F32Vector z = hn::Mul(c, c);
  F32Vector p = hn::Set(d, -2.72614225801306e-10F);
  p = Fma(p, z, hn::Set(d, 2.77068142495902e-08F));
  p = Fma(p, z, hn::Set(d, -2.10102402082508e-06F));
  p = Fma(p, z, hn::Set(d, -5.69250639462346e-05F));
  p = Fma(p, z, hn::Set(d, -7.34990630326855e-04F));
  p = Fma(p, z, hn::Set(d, -2.95459980854025e-03F));
  p = Fma(p, z, hn::Set(d, -1.60960333262415e-02F));
  F32Vector q = hn::Set(d, -1.45660718464996e-05F);
  q = Fma(q, z, hn::Set(d, -2.13374055278905e-04F));
  q = Fma(q, z, hn::Set(d, -1.68282697438203e-03F));
  q = Fma(q, z, hn::Set(d, -7.37332916720468e-03F));
  q = Fma(q, z, hn::Set(d, -1.42647390514189e-02F));
  const F32Vector y = hn::Div(hn::Mul(c, p), q);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

}  // namespace HWY_NAMESPACE
}  // namespace hybridserve
HWY_AFTER_NAMESPACE();

#endif  // include guard, a toggle per target
