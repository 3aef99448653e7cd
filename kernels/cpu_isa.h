#ifndef HYBRIDSERVE_KERNELS_CPU_ISA_H_
#define HYBRIDSERVE_KERNELS_CPU_ISA_H_

#include <string>

namespace hybridserve {

// The instruction set that the cpu kernels run on, in lower case: "avx3"
// (AVX-512), "avx2", or "scalar" where neither is: right, but slow.
std::string CpuIsa();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_CPU_ISA_H_
