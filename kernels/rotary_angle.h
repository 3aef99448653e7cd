#ifndef HYBRIDSERVE_KERNELS_ROTARY_ANGLE_H_
#define HYBRIDSERVE_KERNELS_ROTARY_ANGLE_H_

#include <cmath>

#ifdef __CUDACC__
#define HYBRIDSERVE_ON_BOTH __host__ __device__
#else
#define HYBRIDSERVE_ON_BOTH
#endif

namespace hybridserve {

struct Turn {
  float cosine;
  float sine;
};

// Cosine and sine of position * frequency, a float32 product, within 2 units in
// the last place of 1. One function for all backends, with no table and no slow
// path: what is left of the angle, within a quarter of a turn, goes through
// Cephes' sinf and cosf.
HYBRIDSERVE_ON_BOTH inline Turn TurnOf(float position, float frequency) {
  const double angle = static_cast<double>(position * frequency);
  constexpr double kQuarter = 1.57079632679489661923;
  const double quarters = rint(angle / kQuarter);
  const auto r = static_cast<float>(angle - quarters * kQuarter);
  const float r2 = r * r;
  const float sine = r + r * r2 *
                             (-1.6666654611e-1F +
                              r2 * (8.3321608736e-3F + r2 * -1.9515295891e-4F));
  const float cosine =
      1.0F - 0.5F * r2 +
      r2 * r2 *
          (4.166664568298827e-2F +
           r2 * (-1.388731625493765e-3F + r2 * 2.443315711809948e-5F));
  switch (static_cast<long long>(quarters) & 3) {  // NOLINT: CUDA's own.
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

}  // namespace hybridserve

#undef HYBRIDSERVE_ON_BOTH

#endif  // HYBRIDSERVE_KERNELS_ROTARY_ANGLE_H_
