#include "client/openai/http/connection_gate.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "common/clock.h"
#include "glog/logging.h"

namespace hybridserve::http {
namespace {

void Set(int event_fd) {
  const uint64_t one = 1;
  PCHECK(write(event_fd, &one, sizeof(one)) == sizeof(one));
}

void Reset(int event_fd) {
  uint64_t value = 0;
  PCHECK(read(event_fd, &value, sizeof(value)) == sizeof(value));
}

}  // namespace

ConnectionGate::ConnectionGate(int64_t max_connections)
    : max_connections_(max_connections),
      crowded_(eventfd(0, EFD_CLOEXEC)),
      stopping_(eventfd(0, EFD_CLOEXEC)) {
  PCHECK(crowded_ >= 0 && stopping_ >= 0);
}

ConnectionGate::~ConnectionGate() {
  close(crowded_);
  close(stopping_);
}

bool ConnectionGate::Enter(int fd) {
  absl::MutexLock lock(&mutex_);
  connections_.insert(fd);
  UpdateWake();
  return static_cast<int64_t>(connections_.size()) <= max_connections_;
}

void ConnectionGate::Leave(int fd) {
  absl::MutexLock lock(&mutex_);
  connections_.erase(fd);
  UpdateWake();
}

void ConnectionGate::UpdateWake() {
  const bool crowded =
      static_cast<int64_t>(connections_.size()) >= max_connections_;
  if (crowded == crowded_set_) return;
  crowded_set_ = crowded;
  crowded ? Set(crowded_) : Reset(crowded_);
}

bool ConnectionGate::WaitForRequest(int fd, bool has_buffered, bool is_first,
                                    absl::Duration idle_timeout) {
  if (!has_buffered && !WaitForBytes(fd, is_first, idle_timeout)) return false;
  absl::MutexLock lock(&mutex_);
  ++num_busy_;
  return true;
}

bool ConnectionGate::WaitForBytes(int fd, bool is_first,
                                  absl::Duration timeout) const {
  const absl::Time deadline = SystemClock().Now() + timeout;
  for (;;) {
    pollfd states[] = {
        {fd, POLLIN, 0}, {stopping_, POLLIN, 0}, {crowded_, POLLIN, 0}};
    const absl::Duration left = deadline - SystemClock().Now();
    if (left <= absl::ZeroDuration()) return false;
    const int count =
        poll(states, is_first ? 1 : 3,
             static_cast<int>(absl::ToInt64Milliseconds(std::min(
                 absl::Ceil(left, absl::Milliseconds(1)), absl::Hours(1)))));
    if (count < 0 && errno != EINTR) return false;
    if (count <= 0) continue;
    // A request that is here is served, whatever else.
    return states[0].revents != 0;
  }
}

void ConnectionGate::FinishRequest() {
  absl::MutexLock lock(&mutex_);
  --num_busy_;
}

void ConnectionGate::Drain() {
  absl::MutexLock lock(&mutex_);
  if (draining_) return;
  draining_ = true;
  Set(stopping_);
}

bool ConnectionGate::draining() const {
  absl::MutexLock lock(&mutex_);
  return draining_;
}

bool ConnectionGate::WaitUntilIdle(absl::Duration timeout) const {
  absl::MutexLock lock(&mutex_);
  const auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return num_busy_ == 0;
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&idle), timeout);
}

void ConnectionGate::CutAll() {
  absl::MutexLock lock(&mutex_);
  // Its thread closes it.
  for (const int fd : connections_) shutdown(fd, SHUT_RDWR);
}

}  // namespace hybridserve::http
