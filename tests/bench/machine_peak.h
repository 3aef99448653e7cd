#ifndef HYBRIDSERVE_TESTS_BENCH_MACHINE_PEAK_H_
#define HYBRIDSERVE_TESTS_BENCH_MACHINE_PEAK_H_

#include <cstdint>

namespace hybridserve {

// What one core can do at best, as loops to time. On the instruction set that
// the cpu kernels use.

// Runs independent float32 multiply-adds in registers; returns how many
// floating-point operations that were.
double RunFusedMultiplyAdds();

// Reads `count` floats; their sum, in some order.
float SumFloats(const float* floats, int64_t count);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_TESTS_BENCH_MACHINE_PEAK_H_
