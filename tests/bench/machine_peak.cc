#include "tests/bench/machine_peak.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/bench/machine_peak.cc"
#include "hwy/foreach_target.h"  // Must come before highway.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace hybridserve {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32Tag = hn::ScalableTag<float>;

double MultiplyAdds() {
  constexpr int kChains = 12;  // Enough to hide the latency.
  constexpr int kSteps = 100'000;
  const F32Tag d;
  const auto factor = hn::Set(d, 0.999F);
  const auto term = hn::Set(d, 0.001F);
  hn::Vec<F32Tag> chains[kChains];
  for (auto& chain : chains) chain = term;
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (auto& chain : chains) chain = hn::MulAdd(chain, factor, term);
  }
  for (int c = 1; c < kChains; ++c) chains[0] = hn::Add(chains[0], chains[c]);
  // Used, or the compiler drops the loop.
  volatile float used = hn::GetLane(chains[0]);
  static_cast<void>(used);
  return 2.0 * kChains * kSteps * static_cast<double>(hn::Lanes(d));
}

float Sum(const float* floats, int64_t count) {
  const F32Tag d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  auto a = hn::Zero(d);
  auto b = hn::Zero(d);
  for (int64_t i = 0; i + 2 * lanes <= count; i += 2 * lanes) {
    __builtin_prefetch(floats + i + 1024);
    a = hn::Add(a, hn::LoadU(d, floats + i));
    b = hn::Add(b, hn::LoadU(d, floats + i + lanes));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b)));
}

}  // namespace HWY_NAMESPACE
}  // namespace hybridserve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hybridserve {

HWY_EXPORT(MultiplyAdds);
HWY_EXPORT(Sum);

double RunFusedMultiplyAdds() { return HWY_DYNAMIC_DISPATCH(MultiplyAdds)(); }

float SumFloats(const float* floats, int64_t count) {
  return HWY_DYNAMIC_DISPATCH(Sum)(floats, count);
}

}  // namespace hybridserve
#endif  // HWY_ONCE
