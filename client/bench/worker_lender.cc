#include "client/bench/worker_lender.h"

#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "glog/logging.h"

namespace hybridserve {

// The worker is started once; its results go to whoever has it now. Steps that
// run when it changes hands give results that nobody hears; the next one's
// Reset() takes their sequences away.
class WorkerLender::Shared {
 public:
  explicit Shared(std::unique_ptr<Worker> worker)
      : worker_(std::move(worker)) {}
  ~Shared() { worker_->Stop(); }

  Worker& worker() { return *worker_; }

  void Attach(Worker::ResultCallback on_result) {
    bool first = false;
    {
      absl::MutexLock lock(&mutex_);
      CHECK(on_result_ == nullptr) << "the worker is lent already";
      on_result_ = std::move(on_result);
      first = !std::exchange(started_, true);
    }
    if (!first) return;
    worker_->Start([this](StepResult result) {
      absl::MutexLock lock(&mutex_);
      if (on_result_ != nullptr) on_result_(std::move(result));
    });
  }

  absl::Status Measure() {
    {
      absl::MutexLock lock(&mutex_);
      CHECK(on_result_ == nullptr) << "the worker is lent";
    }
    return worker_->Measure();
  }

  // Waits for a callback under way.
  void Detach() {
    absl::MutexLock lock(&mutex_);
    on_result_ = nullptr;
  }

 private:
  const std::unique_ptr<Worker> worker_;
  absl::Mutex mutex_;  // Held while the callback runs.
  Worker::ResultCallback on_result_ ABSL_GUARDED_BY(mutex_);
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
};

class WorkerLender::Lent final : public Worker {
 public:
  explicit Lent(Shared& shared) : shared_(shared) {}
  ~Lent() override { Release(); }

  const WorkerInfo& info() const override { return shared_.worker().info(); }
  const MemoryPlan& memory_plan() const override {
    return shared_.worker().memory_plan();
  }
  int64_t unpinned_bytes() const override {
    return shared_.worker().unpinned_bytes();
  }
  absl::Status Measure() override { return shared_.worker().Measure(); }
  void Start(ResultCallback on_result) override {
    shared_.Attach(std::move(on_result));
    attached_ = true;
  }
  void Submit(StepPlan plan) override {
    shared_.worker().Submit(std::move(plan));
  }
  void Reset(uint64_t epoch) override { shared_.worker().Reset(epoch); }
  void Stop() override { Release(); }

 private:
  void Release() {
    if (std::exchange(attached_, false)) shared_.Detach();
  }

  Shared& shared_;
  bool attached_ = false;
};

WorkerLender::WorkerLender(std::unique_ptr<Worker> worker)
    : shared_(std::make_unique<Shared>(std::move(worker))) {}
WorkerLender::~WorkerLender() = default;

const Worker& WorkerLender::worker() const { return shared_->worker(); }

absl::Status WorkerLender::Measure() { return shared_->Measure(); }

std::unique_ptr<Worker> WorkerLender::Lend() {
  return std::make_unique<Lent>(*shared_);
}

}  // namespace hybridserve
