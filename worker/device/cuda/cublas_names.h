#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_CUBLAS_NAMES_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_CUBLAS_NAMES_H_

#include <string>
#include <vector>

namespace hybridserve {

// The names that cuBLAS's library has, newest first, for dlopen().
std::vector<std::string> CublasLibraryNames();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_CUBLAS_NAMES_H_
