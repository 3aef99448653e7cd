#include "kernels/cpu_linear.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "kernels/linear_onednn.h"
#include "kernels/linear_probe.h"

namespace hybridserve {
namespace {

constexpr DType kDTypes[] = {DType::kFloat32, DType::kBFloat16};
// Of the first probe, which decides whether a dtype is worth more of them:
// small, a usual width, not a multiple of any block.
constexpr int64_t kFirstProbes[] = {64, 768, 1000};

// A kernel of oneDNN's for `dtype` that passes the first probes.
absl::StatusOr<std::unique_ptr<LinearKernel>> ProbedOneDnn(DType dtype) {
  auto kernel = CreateOneDnnLinear(dtype);
  if (!kernel.ok()) return kernel;
  for (const int64_t k : kFirstProbes) {
    const absl::Status probe = ProbeLinear(**kernel, dtype, k);
    if (!probe.ok()) return probe;
  }
  return kernel;
}

}  // namespace

CpuLinear::CpuLinear() {
  for (const DType dtype : kDTypes) {
    auto kernel = ProbedOneDnn(dtype);
    LOG(INFO) << "linear dtype=" << Name(dtype)
              << " kernel=" << (kernel.ok() ? (*kernel)->name() : own_.name())
              << (kernel.ok() ? "" : " because ") << kernel.status().message();
    choices_.push_back({dtype, kernel.ok() ? (*kernel)->name() : own_.name(),
                        kernel.status()});
    if (kernel.ok()) candidates_[dtype] = *std::move(kernel);
  }
}

LinearKernel& CpuLinear::KernelFor(DType dtype, int64_t k) const {
  const auto candidate = candidates_.find(dtype);
  if (candidate == candidates_.end() || k == 0) return own_;
  absl::MutexLock lock(&mutex_);
  LinearKernel*& chosen = chosen_[{dtype, k}];
  if (chosen == nullptr) {
    const absl::Status probe = ProbeLinear(*candidate->second, dtype, k);
    chosen = probe.ok() ? candidate->second.get() : &own_;
    LOG(INFO) << "linear dtype=" << Name(dtype) << " k=" << k
              << " kernel=" << chosen->name() << " " << probe.message();
  }
  return *chosen;
}

int64_t CpuLinear::piece_alignment() const {
  int64_t alignment = own_.layout().piece_alignment();
  for (const auto& [dtype, kernel] : candidates_) {
    alignment = std::max(alignment, kernel->layout().piece_alignment());
  }
  return alignment;
}

int64_t CpuLinear::PackedBytes(const WeightShape& shape) const {
  return KernelFor(shape.dtype, shape.k).layout().PackedBytes(shape);
}

absl::Status CpuLinear::Pack(const WeightShape& shape, DType source,
                             absl::Span<const char> rows,
                             absl::Span<char> blob) const {
  return KernelFor(shape.dtype, shape.k)
      .layout()
      .Pack(shape, source, rows, blob);
}

void CpuLinear::Run(const LinearCpuArgs& args, ThreadPool& pool) const {
  KernelFor(args.dtype, args.k).Run(args, pool);
}

std::string CpuLinear::description() const {
  if (candidates_.empty()) return own_.name();
  std::string text;
  for (const DType dtype : kDTypes) {
    const auto candidate = candidates_.find(dtype);
    absl::StrAppend(&text, text.empty() ? "" : ",", Name(dtype), "=",
                    candidate == candidates_.end() ? own_.name()
                                                   : candidate->second->name());
  }
  return text;
}

}  // namespace hybridserve
