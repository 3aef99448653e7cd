#ifndef HYBRIDSERVE_WORKER_DEVICE_CPU_OPS_H_
#define HYBRIDSERVE_WORKER_DEVICE_CPU_OPS_H_

#include "absl/status/status.h"
#include "kernels/cpu_linear.h"
#include "kernels/ops.h"
#include "kernels/thread_pool.h"

namespace hybridserve {

// The ops of the cpu backend: checks arguments, takes views apart into plain
// arrays and queues the cpu kernels on a CpuStream. Shapes that contradict
// each other are bugs of the caller and crash; InvalidArgument for dtypes that
// the cpu does not compute in.
class CpuOps final : public Ops {
 public:
  // `pool` runs the kernels, `linear` packed the weights; both outlive every
  // queued op.
  CpuOps(ThreadPool& pool, const CpuLinear& linear)
      : pool_(pool), linear_(linear) {}

  absl::Status Linear(Stream& stream, const LinearArgs& args) override;
  absl::Status LayerNorm(Stream& stream, const LayerNormArgs& args) override;
  absl::Status Convert(Stream& stream, const ConvertArgs& args) override;
  absl::Status Rotary(Stream& stream, const RotaryArgs& args) override;
  absl::Status Attention(Stream& stream, const AttentionArgs& args) override;
  absl::Status Sample(Stream& stream, const SampleArgs& args) override;
  absl::Status LogProb(Stream& stream, const LogProbArgs& args) override;

 private:
  ThreadPool& pool_;
  const CpuLinear& linear_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CPU_OPS_H_
