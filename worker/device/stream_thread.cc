#include "worker/device/stream_thread.h"

#include <sys/prctl.h>

#include <algorithm>
#include <utility>

#include "worker/device/link_pacer.h"

namespace hybridserve {

StreamThread::StreamThread() : thread_([this] { Loop(); }) {}

StreamThread::~StreamThread() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void StreamThread::Queue(Work work) { Push({.work = std::move(work)}); }

void StreamThread::QueueMarker(Marker marker) {
  Push({.marker = std::move(marker)});
}

void StreamThread::QueueTag(const WorkTag& tag) { Push({.tag = tag}); }

void StreamThread::Push(Item item) {
  absl::MutexLock lock(&mutex_);
  queue_.push_back(std::move(item));
  ++queued_;
}

void StreamThread::BeganAt(absl::Time time) {
  absl::MutexLock lock(&mutex_);
  working_since_ = std::max(work_ended_, std::min(working_since_, time));
}

absl::Status StreamThread::Drain() {
  absl::MutexLock lock(&mutex_);
  const int64_t target = queued_;
  const auto reached = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return done_ >= target;
  };
  mutex_.Await(absl::Condition(&reached));
  return first_error_;
}

absl::Duration StreamThread::busy() const {
  absl::MutexLock lock(&mutex_);
  if (working_since_ == absl::InfiniteFuture()) return busy_;
  return busy_ + (MonotonicNow() - working_since_);
}

PerWorkKind<WorkTotals> StreamThread::work() const {
  absl::MutexLock lock(&mutex_);
  return totals_;
}

absl::Status StreamThread::Run(const Item& item, const absl::Status& so_far) {
  if (item.tag.has_value()) {
    tag_ = *item.tag;
    tag_counted_ = false;
    return absl::OkStatus();
  }
  if (item.marker) return item.marker(so_far);
  if (!so_far.ok()) return so_far;
  {
    absl::MutexLock lock(&mutex_);
    working_since_ = MonotonicNow();
  }
  absl::Status status = item.work();
  absl::MutexLock lock(&mutex_);
  work_ended_ = MonotonicNow();
  const absl::Duration took = work_ended_ - working_since_;
  busy_ += took;
  WorkTotals& totals = totals_[tag_.kind];
  totals.busy += took;
  if (!std::exchange(tag_counted_, true) && !tag_.resumes) {
    ++totals.count;
    totals.units += tag_.units;
  }
  working_since_ = absl::InfiniteFuture();
  return status;
}

void StreamThread::Loop() {
  // Wakes up in time: by default the kernel may be 50 us late.
  prctl(PR_SET_TIMERSLACK, 1);
  const auto has_news = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !queue_.empty();
  };
  while (true) {
    Item item;
    absl::Status so_far;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&has_news));
      if (queue_.empty()) return;
      item = std::move(queue_.front());
      queue_.pop_front();
      so_far = first_error_;
    }
    const absl::Status status = Run(item, so_far);
    item = Item();  // Captures go before the item counts as done.
    absl::MutexLock lock(&mutex_);
    if (first_error_.ok()) first_error_ = status;
    ++done_;
  }
}

}  // namespace hybridserve
