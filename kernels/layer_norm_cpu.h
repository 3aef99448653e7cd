#ifndef HYBRIDSERVE_KERNELS_LAYER_NORM_CPU_H_
#define HYBRIDSERVE_KERNELS_LAYER_NORM_CPU_H_

#include "kernels/layer_norm_pointers.h"
#include "kernels/thread_pool.h"

namespace hybridserve {

// Exact: a row's result depends on that row alone, bit for bit, on every
// vector width.
void LayerNormCpu(const LayerNormPointers& args, ThreadPool& pool);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LAYER_NORM_CPU_H_
