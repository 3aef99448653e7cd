#include "worker/device/cpu_device.h"

#include <sched.h>

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernels/cpu_isa.h"
#include "kernels/cpu_linear.h"
#include "kernels/ops.h"
#include "kernels/thread_pool.h"
#include "worker/device/cpu_buffer.h"
#include "worker/device/cpu_event.h"
#include "worker/device/cpu_ops.h"
#include "worker/device/cpu_stream.h"
#include "worker/device/link_pacer.h"

namespace hybridserve {
namespace {

constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

int UsableCores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return CPU_COUNT(&cores);
}

class CpuDevice final : public Device {
 public:
  CpuDevice(const CpuDeviceOptions& options, int threads)
      : separate_(options.device_memory_bytes.has_value() ||
                  options.link_bytes_per_second > 0),
        host_budget_(kUnlimited),
        device_budget_(options.device_memory_bytes.value_or(kUnlimited)),
        copy_in_(options.link_bytes_per_second),
        copy_out_(options.link_bytes_per_second),
        pool_(threads),
        ops_(pool_, linear_) {
    info_.backend = "cpu";
    info_.isa = absl::StrCat(CpuIsa(), "/", linear_.description());
    info_.memory_bytes = device_budget_.left();
    info_.one_memory = !separate_;
    info_.description = absl::StrCat("cpu, ", info_.isa, ", threads=", threads);
    if (options.link_bytes_per_second > 0) {
      absl::StrAppend(&info_.description, ", paced link ",
                      options.link_bytes_per_second / 1e6, " MB/s");
    }
  }

  const DeviceInfo& info() const override { return info_; }

  absl::StatusOr<std::unique_ptr<Buffer>> Allocate(MemorySpace space,
                                                   int64_t bytes) override {
    return CpuBuffer::Create(
        space, bytes,
        space == MemorySpace::kHost ? host_budget_ : device_budget_);
  }

  std::unique_ptr<Stream> CreateStream(StreamKind kind) override {
    LinkPacer* link = nullptr;
    if (separate_ && kind == StreamKind::kCopyIn) link = &copy_in_;
    if (separate_ && kind == StreamKind::kCopyOut) link = &copy_out_;
    return std::make_unique<CpuStream>(kind, link);
  }

  std::unique_ptr<Event> CreateEvent() override {
    return std::make_unique<CpuEvent>();
  }

  Ops& ops() override { return ops_; }
  const WeightLayout& weight_layout() const override { return linear_; }

 private:
  const bool separate_;
  DeviceInfo info_;
  MemoryBudget host_budget_;
  MemoryBudget device_budget_;
  LinkPacer copy_in_;
  LinkPacer copy_out_;
  ThreadPool pool_;
  CpuLinear linear_;
  CpuOps ops_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Device>> CreateCpuDevice(
    const CpuDeviceOptions& options) {
  if (options.threads < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("threads=", options.threads, ", must not be negative"));
  }
  if (options.device_memory_bytes.value_or(0) < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("device_memory=", *options.device_memory_bytes,
                     ", must not be negative"));
  }
  if (!(options.link_bytes_per_second >= 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("link_bandwidth=", options.link_bytes_per_second,
                     ", must not be negative"));
  }
  const int threads = options.threads > 0 ? options.threads : UsableCores();
  return std::make_unique<CpuDevice>(options, threads);
}

}  // namespace hybridserve
