#ifndef HYBRIDSERVE_KERNELS_CUDA_LAUNCH_H_
#define HYBRIDSERVE_KERNELS_CUDA_LAUNCH_H_

// How all kernels are launched, on hardware and in the tests' emulation. Only
// .cu files include this.

#include <cuda_runtime.h>

#include <cstddef>

namespace hybridserve {

struct LaunchShape {
  dim3 grid;                // No extent may be 0: an empty grid is an error.
  dim3 block;               // At most 1,024 threads.
  size_t shared_bytes = 0;  // Of SharedMemory().
};

// Queues kernel(arguments...) on `stream`. `name` is the kernel's, for errors
// and for the emulation's list of what ran.
template <typename... Parameters, typename... Arguments>
cudaError_t Launch(const char* name, void (*kernel)(Parameters...),
                   const LaunchShape& shape, cudaStream_t stream,
                   Arguments... arguments) {
#ifdef HYBRIDSERVE_EMULATED_CUDA
  return EmulatedLaunch(name, kernel, shape.grid, shape.block,
                        shape.shared_bytes, stream, arguments...);
#else
  (void)name;
  cudaLaunchConfig_t config = {};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, arguments...);
#endif
}

extern __shared__ __align__(128) unsigned char cuda_shared_memory[];

// The block's shared memory, LaunchShape::shared_bytes of it; it holds anything
// at first. Kernels declare no other.
template <typename T>
__device__ T* SharedMemory() {
  return reinterpret_cast<T*>(cuda_shared_memory);
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_CUDA_LAUNCH_H_
