#ifndef HYBRIDSERVE_KERNELS_CPU_LINEAR_H_
#define HYBRIDSERVE_KERNELS_CPU_LINEAR_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/dtype.h"
#include "kernels/linear_kernel.h"
#include "kernels/weight_layout.h"

namespace hybridserve {

// The cpu backend's linear layers: for each dtype and number of input
// features, oneDNN's kernel if it passes the probe, else our own.
//
// The choice depends on the machine and on oneDNN's version, never on timing
// or on the number of output features: it is part of the numerics class, and
// pieces of one weight must agree. Logged once for each (dtype, k).
// Thread-safe.
class CpuLinear final : public WeightLayout {
 public:
  CpuLinear();

  int64_t piece_alignment() const override;
  int64_t PackedBytes(const WeightShape& shape) const override;
  absl::Status Pack(const WeightShape& shape, DType source,
                    absl::Span<const char> rows,
                    absl::Span<char> blob) const override;

  // `args.weight` is a blob of this layout.
  void Run(const LinearCpuArgs& args, ThreadPool& pool) const;

  // What each dtype uses, and why it isn't oneDNN's.
  struct Choice {
    DType dtype;
    std::string kernel;    // "own", or oneDNN's name of its own.
    absl::Status refusal;  // Of oneDNN's kernel; OK: it is used.
  };
  const std::vector<Choice>& choices() const { return choices_; }

  // What is used: "own", or for example
  // "float32=own,bfloat16=onednn brg:avx512_core_bf16".
  std::string description() const;

 private:
  using Key = std::pair<DType, int64_t>;  // Weight dtype, input features.

  LinearKernel& KernelFor(DType dtype, int64_t k) const;

  mutable OwnLinear own_;
  // Kernels that passed the probe at all, by dtype.
  std::map<DType, std::unique_ptr<LinearKernel>> candidates_;
  std::vector<Choice> choices_;
  mutable absl::Mutex mutex_;
  mutable std::map<Key, LinearKernel*> chosen_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_CPU_LINEAR_H_
