#ifndef HYBRIDSERVE_KERNELS_PHILOX_H_
#define HYBRIDSERVE_KERNELS_PHILOX_H_

#include <array>
#include <cstdint>

namespace hybridserve {

// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1,
// 2, 3"): four random words as a function of counter and key, no state.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter,
                                   std::array<uint32_t, 2> key);

// Uniform in [0, 1), a multiple of 2^-53: the draw for `position` of the
// sequence sampled with `seed`.
double UniformAt(uint64_t seed, int64_t position);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_PHILOX_H_
