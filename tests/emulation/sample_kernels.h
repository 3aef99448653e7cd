#ifndef HYBRIDSERVE_TESTS_EMULATION_SAMPLE_KERNELS_H_
#define HYBRIDSERVE_TESTS_EMULATION_SAMPLE_KERNELS_H_

#include <cstdint>

struct CUstream_st;

namespace hybridserve::emulation {

// What is wrong with a version of the kernel below.
enum class Mistake {
  kNone,
  kNoBarrier,         // Partial sums are read before all are written.
  kDivergentBarrier,  // Two barriers in two branches.
  kEarlyReturn,       // Some threads end before the barrier.
  kNoBoundsCheck,     // Threads beyond the input read it.
  kShortMask,         // Upper lanes call with a mask without them.
  kOddMasks,          // Lanes of a warp call with different masks.
  kOutsideLane,       // A shuffle reads a lane that does not take part.
  kUnwritten,         // A partial sum is read that nobody wrote.
  kSameOutput,        // All blocks write one element.
  kOddAddress,        // A float is read two bytes off.
  kTooMuchShared,     // Shared memory beyond what was asked for.
};

constexpr int kBlockThreads = 96;

// sums[b] = sum of the b-th kBlockThreads elements of `in`, [n]; sums has
// ceil(n / kBlockThreads) elements. Queued on `stream`; false: refused.
bool BlockSums(Mistake mistake, const float* in, float* sums, int64_t n,
               CUstream_st* stream);

// counts[in[i] % 4] += 1 for all i < n, by atomics.
bool CountByRest(const uint32_t* in, uint32_t* counts, int64_t n,
                 CUstream_st* stream);

}  // namespace hybridserve::emulation

#endif  // HYBRIDSERVE_TESTS_EMULATION_SAMPLE_KERNELS_H_
