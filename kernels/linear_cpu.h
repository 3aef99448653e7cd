#ifndef HYBRIDSERVE_KERNELS_LINEAR_CPU_H_
#define HYBRIDSERVE_KERNELS_LINEAR_CPU_H_

#include "kernels/linear_cpu_args.h"
#include "kernels/thread_pool.h"

namespace hybridserve {

// Computes y on the pool's threads and returns when done; `args.weight` is
// packed by PanelLayout.
//
// Exact: each element of x W^T is one chain of fused multiply-adds over k in
// ascending order that starts at 0, whatever m, n, the pool and the machine's
// vector width. Scratch memory: at most 240 * k floats, and 128 kB a thread,
// kept for the next call.
void LinearCpu(const LinearCpuArgs& args, ThreadPool& pool);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LINEAR_CPU_H_
