#include "worker/worker.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "worker/model_setup.h"
#include "worker/offload/engine.h"
#include "worker/profile/worker_profile.h"
#include "worker/worker_description.h"

namespace hybridserve {
namespace {

std::string HostNameAndPid() {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) != 0) name[0] = '\0';
  return absl::StrCat(name[0] == '\0' ? "worker" : name, ":", getpid());
}

WorkerInfo MakeInfo(const LoadedModel& model, const WorkerProfile& profile) {
  WorkerInfo info = DescribeWorker(*model.resources);
  info.name = HostNameAndPid();
  info.epoch = static_cast<uint64_t>(absl::ToUnixMicros(absl::Now()));
  info.model_name = model.name;
  info.files = model.files;
  info.numerics.weights_hash = model.weights_hash;
  info.profile = profile;
  return info;
}

class EngineWorker final : public Worker {
 public:
  // `model` is loaded, `profile` measured.
  static absl::StatusOr<std::unique_ptr<Worker>> Create(
      std::unique_ptr<SystemClock> clock, LoadedModel model,
      const WorkerProfile& profile, const std::string& trace_file) {
    std::unique_ptr<EngineWorker> worker(new EngineWorker(
        std::move(clock), std::move(model), profile, trace_file));
    ASSIGN_OR_RETURN(worker->engine_,
                     Engine::Create(*worker->model_.resources,
                                    worker->info_.epoch, *worker->clock_));
    return worker;
  }
  ~EngineWorker() override {
    Stop();
    engine_.reset();  // All ops are done now.
    if (model_.trace == nullptr) return;
    const absl::Status written = model_.trace->WriteFile(trace_file_);
    LOG_IF(ERROR, !written.ok()) << "trace: " << written;
  }

  const WorkerInfo& info() const override { return info_; }
  const MemoryPlan& memory_plan() const override {
    return model_.resources->memory;
  }
  int64_t unpinned_bytes() const override {
    return model_.resources->unpinned_bytes();
  }
  absl::Status Measure() override {
    engine_.reset();  // Its buffers are in the way.
    ASSIGN_OR_RETURN(info_.profile, MeasureWorkerProfile(*model_.resources));
    ASSIGN_OR_RETURN(engine_,
                     Engine::Create(*model_.resources, info_.epoch, *clock_));
    if (on_result_ != nullptr) engine_->Start(on_result_);
    return absl::OkStatus();
  }
  void Start(ResultCallback on_result) override {
    on_result_ = std::move(on_result);
    engine_->Start(on_result_);
  }
  void Submit(StepPlan plan) override { engine_->Submit(std::move(plan)); }
  void Reset(uint64_t epoch) override { engine_->Reset(epoch); }
  void Stop() override {
    if (engine_ != nullptr) engine_->Stop();
  }

 private:
  EngineWorker(std::unique_ptr<SystemClock> clock, LoadedModel model,
               const WorkerProfile& profile, const std::string& trace_file)
      : clock_(std::move(clock)),
        model_(std::move(model)),
        info_(MakeInfo(model_, profile)),
        trace_file_(trace_file) {}

  const std::unique_ptr<SystemClock> clock_;
  const LoadedModel model_;
  WorkerInfo info_;
  const std::string trace_file_;
  ResultCallback on_result_;  // Null before Start().
  std::unique_ptr<Engine> engine_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::Create(
    const WorkerOptions& options, ProgressCallback progress) {
  LoadCallback on_load;
  if (progress != nullptr) {
    on_load = [&progress](const std::string& phase, int64_t done,
                          int64_t total) {
      progress({.phase = phase, .done_bytes = done, .total_bytes = total});
    };
  }
  auto clock = std::make_unique<SystemClock>();
  ASSIGN_OR_RETURN(LoadedModel model, LoadModel(options, *clock, on_load));
  ASSIGN_OR_RETURN(
      const WorkerProfile profile,
      MakeWorkerProfile(options, *model.resources, [&progress](WorkKind kind) {
        if (progress == nullptr) return;
        progress({.phase = absl::StrCat("measuring ", Name(kind))});
      }));
  LOG(INFO) << "link_bytes_per_s=" << profile.link_bytes_per_second
            << " copy_out_bytes_per_s=" << profile.copy_out_bytes_per_second
            << " gemm_flops_per_s=" << profile.gemm_flops_per_second;
  return EngineWorker::Create(std::move(clock), std::move(model), profile,
                              options.trace_file);
}

}  // namespace hybridserve
