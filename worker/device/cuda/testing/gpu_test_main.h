#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_TESTING_GPU_TEST_MAIN_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_TESTING_GPU_TEST_MAIN_H_

namespace hybridserve {

// Runs all tests of a program tagged "gpu". Where there is no GPU, none, with
// the reason printed: that passes, unless HYBRIDSERVE_GPU_REQUIRED is set in
// the environment, as tools/gpu_check.sh does.
int RunGpuTests(int argc, char** argv);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_TESTING_GPU_TEST_MAIN_H_
