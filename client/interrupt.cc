#include "client/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdint>
#include <thread>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "glog/logging.h"

namespace hybridserve {

// Signals arrive through a descriptor, so that the function runs on a thread
// and may lock and allocate.
class Interrupt::Impl {
 public:
  Impl() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &signals, &before_), 0);
    signals_ = signalfd(-1, &signals, SFD_CLOEXEC);
    stop_ = eventfd(0, EFD_CLOEXEC);
    PCHECK(signals_ >= 0 && stop_ >= 0);
    thread_ = std::thread([this] { Run(); });
  }

  ~Impl() {
    const uint64_t one = 1;
    PCHECK(write(stop_, &one, sizeof(one)) == sizeof(one));
    thread_.join();
    close(signals_);
    close(stop_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  void SetHandler(std::function<void()> on_signal) {
    absl::MutexLock lock(&mutex_);
    on_signal_ = std::move(on_signal);
  }

 private:
  void Run() {
    for (;;) {
      pollfd ready[] = {{signals_, POLLIN, 0}, {stop_, POLLIN, 0}};
      if (poll(ready, 2, -1) < 0) continue;
      if (ready[1].revents != 0) return;
      signalfd_siginfo info;
      if (read(signals_, &info, sizeof(info)) != sizeof(info)) continue;
      absl::MutexLock lock(&mutex_);
      if (on_signal_ == nullptr) _exit(1);
      on_signal_();
      on_signal_ = nullptr;
    }
  }

  sigset_t before_;
  int signals_ = -1;
  int stop_ = -1;
  absl::Mutex mutex_;  // Held while the function runs.
  std::function<void()> on_signal_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

Interrupt::Interrupt() : impl_(std::make_unique<Impl>()) {}
Interrupt::~Interrupt() = default;

Interrupt::Scope::Scope(Interrupt& interrupt, std::function<void()> on_signal)
    : interrupt_(interrupt) {
  interrupt_.impl_->SetHandler(std::move(on_signal));
}
Interrupt::Scope::~Scope() { interrupt_.impl_->SetHandler(nullptr); }

}  // namespace hybridserve
