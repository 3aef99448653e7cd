#include "client/openai/http/hangup_watcher.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "glog/logging.h"

namespace hybridserve::http {
namespace {

constexpr uint64_t kStopId = 0;

void Add(int epoll, int fd, uint32_t events, uint64_t id) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = id;
  PCHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) << fd;
}

}  // namespace

HangupWatcher::HangupWatcher()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), stop_(eventfd(0, EFD_CLOEXEC)) {
  PCHECK(epoll_ >= 0 && stop_ >= 0);
  Add(epoll_, stop_, EPOLLIN, kStopId);
  thread_ = std::thread([this] { Run(); });
}

HangupWatcher::~HangupWatcher() {
  const uint64_t one = 1;
  PCHECK(write(stop_, &one, sizeof(one)) == sizeof(one));
  thread_.join();
  close(stop_);
  close(epoll_);
}

std::unique_ptr<HangupWatcher::Watch> HangupWatcher::Start(
    int fd, std::function<void()> on_hangup) {
  uint64_t id = 0;
  {
    absl::MutexLock lock(&mutex_);
    id = ++last_id_;
    functions_[id] = std::move(on_hangup);
  }
  // Errors and full hang-ups are always told.
  Add(epoll_, fd, EPOLLRDHUP | EPOLLONESHOT, id);
  return std::unique_ptr<Watch>(new Watch(*this, fd, id));
}

HangupWatcher::Watch::~Watch() {
  epoll_ctl(watcher_.epoll_, EPOLL_CTL_DEL, fd_, nullptr);
  absl::MutexLock lock(&watcher_.mutex_);
  watcher_.functions_.erase(id_);
}

void HangupWatcher::Run() {
  for (;;) {
    epoll_event event = {};
    const int count = epoll_wait(epoll_, &event, 1, -1);
    if (count < 0 && errno == EINTR) continue;
    PCHECK(count >= 0);
    if (event.data.u64 == kStopId) return;
    absl::MutexLock lock(&mutex_);
    // Its Watch may have ended meanwhile.
    const auto function = functions_.find(event.data.u64);
    if (function != functions_.end()) function->second();
  }
}

}  // namespace hybridserve::http
