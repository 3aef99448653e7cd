#ifndef HYBRIDSERVE_KERNELS_ROTARY_CPU_H_
#define HYBRIDSERVE_KERNELS_ROTARY_CPU_H_

#include "kernels/rotary_pointers.h"
#include "kernels/thread_pool.h"

namespace hybridserve {

// float32 and bfloat16. Exact: a row's result depends on that row alone, bit
// for bit, and on no vector width.
void RotaryCpu(const RotaryPointers& args, ThreadPool& pool);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_ROTARY_CPU_H_
