#ifndef HYBRIDSERVE_KERNELS_LINEAR_KERNEL_H_
#define HYBRIDSERVE_KERNELS_LINEAR_KERNEL_H_

#include <string>

#include "kernels/linear_cpu.h"
#include "kernels/thread_pool.h"
#include "kernels/weight_layout.h"

namespace hybridserve {

// A GEMM of the cpu backend: a weight layout and the kernel that reads it.
// Whether it keeps the contract of Ops::Linear is for the probe to say
// (kernels/linear_probe.h). Thread-safe.
class LinearKernel {
 public:
  virtual ~LinearKernel() = default;
  virtual const WeightLayout& layout() const = 0;
  virtual void Run(const LinearCpuArgs& args, ThreadPool& pool) = 0;
  // For logs and numerics classes: "own", "onednn brg:avx512_core_bf16".
  virtual std::string name() const = 0;
};

// Our own: exact on every machine.
class OwnLinear final : public LinearKernel {
 public:
  const WeightLayout& layout() const override;
  void Run(const LinearCpuArgs& args, ThreadPool& pool) override {
    LinearCpu(args, pool);
  }
  std::string name() const override { return "own"; }
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LINEAR_KERNEL_H_
