#include "worker/device/cpu_event.h"

#include <utility>

#include "worker/device/link_pacer.h"

namespace hybridserve {

void Latch::Open(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  status_ = std::move(status);
  opened_at_ = MonotonicNow();
  open_ = true;
}

absl::Status Latch::Wait() const {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&open_));
  return status_;
}

absl::Time Latch::opened_at() const {
  absl::MutexLock lock(&mutex_);
  return opened_at_;
}

bool Latch::IsOpen() const {
  absl::MutexLock lock(&mutex_);
  return open_;
}

absl::Status CpuEvent::Synchronize() {
  const std::shared_ptr<Latch> record = last_record();
  return record == nullptr ? absl::OkStatus() : record->Wait();
}

bool CpuEvent::Done() const {
  const std::shared_ptr<Latch> record = last_record();
  return record == nullptr || record->IsOpen();
}

std::shared_ptr<Latch> CpuEvent::NewRecord() {
  absl::MutexLock lock(&mutex_);
  last_record_ = std::make_shared<Latch>();
  return last_record_;
}

std::shared_ptr<Latch> CpuEvent::last_record() const {
  absl::MutexLock lock(&mutex_);
  return last_record_;
}

}  // namespace hybridserve
