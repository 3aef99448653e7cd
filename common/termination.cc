#include "common/termination.h"

#include <signal.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include "glog/logging.h"

namespace hybridserve {

void HandleTermination(std::function<void()> on_first) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, &signals, nullptr), 0);
  // Nothing waits for it: it sleeps in sigwait() until the process ends.
  std::thread([signals, on_first = std::move(on_first)] {
    int signal = 0;
    CHECK_EQ(sigwait(&signals, &signal), 0);
    LOG(INFO) << "stopping: signal=" << signal;
    // On another thread, as it may take long and a second signal may come.
    std::thread(on_first).detach();
    CHECK_EQ(sigwait(&signals, &signal), 0);
    LOG(WARNING) << "aborting: signal=" << signal;
    _exit(1);
  }).detach();
}

}  // namespace hybridserve
