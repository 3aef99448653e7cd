#include "worker/offload/plan_inbox.h"

#include <utility>

#include "glog/logging.h"

namespace hybridserve {

bool PlanInbox::Push(StepPlan plan) {
  const absl::MutexLock lock(&mutex_);
  const Fence& fence = plan.fence;
  const bool term_fits = next_step_ == 1 || fence.term == term_;
  if (fence.epoch != epoch_ || !term_fits || fence.step != next_step_) {
    LOG(WARNING) << "plan dropped: term=" << fence.term
                 << " epoch=" << fence.epoch << " step=" << fence.step
                 << " expected_term=" << term_ << " expected_epoch=" << epoch_
                 << " expected_step=" << next_step_;
    return false;
  }
  term_ = fence.term;
  ++next_step_;
  plans_.push_back(std::move(plan));
  return true;
}

void PlanInbox::Reset(uint64_t epoch) {
  const absl::MutexLock lock(&mutex_);
  plans_.clear();
  epoch_ = epoch;
  next_step_ = 1;
  reset_ = true;
}

void PlanInbox::Stop() {
  const absl::MutexLock lock(&mutex_);
  plans_.clear();
  stopped_ = true;
}

PlanInbox::Command PlanInbox::Take() {
  const absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &PlanInbox::Ready));
  return TakeLocked();
}

PlanInbox::Command PlanInbox::TryTake() {
  const absl::MutexLock lock(&mutex_);
  return TakeLocked();
}

PlanInbox::Command PlanInbox::TakeLocked() {
  if (stopped_) return {.kind = Command::Kind::kStop};
  if (reset_) {
    reset_ = false;
    return {.kind = Command::Kind::kReset};
  }
  if (plans_.empty()) return {.kind = Command::Kind::kNone};
  Command command = {.kind = Command::Kind::kPlan,
                     .plan = std::move(plans_.front())};
  plans_.pop_front();
  return command;
}

}  // namespace hybridserve
