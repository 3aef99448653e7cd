#include "kernels/linear_finish.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/linear_finish.cc"
#include "hwy/foreach_target.h"  // Must come before highway.h.
#include "hwy/highway.h"
#include "kernels/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hybridserve {
namespace HWY_NAMESPACE {

HWY_INLINE F32Vector Activate(F32Vector x, Activation activation) {
  const F32Tag d;
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:  // NaN passes.
      return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x);
    case Activation::kGelu: {
      const F32Vector erf = Erf(hn::Mul(x, hn::Set(d, 0.70710678118654752F)));
      return hn::Mul(hn::Mul(x, hn::Set(d, 0.5F)),
                     hn::Add(erf, hn::Set(d, 1.0F)));
    }
    case Activation::kSilu: {
      const F32Vector e = Exp(hn::Neg(x));
      return hn::Div(x, hn::Add(e, hn::Set(d, 1.0F)));
    }
  }
  return x;
}

constexpr int64_t kChunk = static_cast<int64_t>(kWide);

// y[0..16) = act(sums + bias), += sums + bias or *= sums + bias.
template <typename Out>
HWY_INLINE void FinishChunk(const LinearCpuArgs& args, const float* sums,
                            const float* bias, Out* y) {
  const F32Tag d;
  for (size_t i = 0; i < kWide; i += kLanes) {
    F32Vector v = hn::LoadU(d, sums + i);
    if (bias != nullptr) v = hn::Add(v, hn::LoadU(d, bias + i));
    v = Activate(v, args.activation);
    if (args.accumulate) v = hn::Add(LoadFloats(y + i), v);
    if (args.multiply) v = hn::Mul(LoadFloats(y + i), v);
    StoreFloats(v, y + i);
  }
}

// One row of a group: columns [first, first + columns) of y.
template <typename Out>
void FinishRow(const LinearCpuArgs& args, const float* sums, int64_t row,
               int64_t first, int64_t columns) {
  Out* y = static_cast<Out*>(args.y) + row * args.y_stride + first;
  const float* bias = args.bias == nullptr ? nullptr : args.bias + first;
  int64_t c = 0;
  for (; c + kChunk <= columns; c += kChunk) {
    FinishChunk(args, sums + c, bias == nullptr ? nullptr : bias + c, y + c);
  }
  if (c == columns) return;
  // The last, narrow panel goes through padded copies.
  const size_t left = static_cast<size_t>(columns - c);
  float padded_bias[kWide] = {};
  Out padded_y[kWide] = {};
  if (bias != nullptr) std::memcpy(padded_bias, bias + c, left * sizeof(float));
  std::memcpy(padded_y, y + c, left * sizeof(Out));
  FinishChunk(args, sums + c, bias == nullptr ? nullptr : padded_bias,
              padded_y);
  std::memcpy(y + c, padded_y, left * sizeof(Out));
}

void FinishRows(const LinearCpuArgs& args, const LinearSums& part) {
  for (int64_t r = 0; r < part.rows; ++r) {
    const float* sums = part.sums + r * part.stride;
    const int64_t row = part.first_row + r;
    if (args.y_dtype == DType::kFloat32) {
      FinishRow<float>(args, sums, row, part.first_column, part.columns);
    } else {
      FinishRow<uint16_t>(args, sums, row, part.first_column, part.columns);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace hybridserve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hybridserve {

HWY_EXPORT(FinishRows);

void FinishLinear(const LinearCpuArgs& args, const LinearSums& part) {
  HWY_DYNAMIC_DISPATCH(FinishRows)(args, part);
}

}  // namespace hybridserve
#endif  // HWY_ONCE
