#include "client/openai/http/connection_threads.h"

#include <system_error>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "glog/logging.h"

namespace hybridserve::http {
namespace {

thread_local bool in_the_way = false;

}  // namespace

struct ConnectionThreads::State {
  absl::Mutex mutex;
  int64_t num_threads ABSL_GUARDED_BY(mutex) = 0;

  bool TryAdd(int64_t max_threads) {
    absl::MutexLock lock(&mutex);
    if (num_threads >= max_threads) return false;
    ++num_threads;
    return true;
  }
  void Remove() {
    absl::MutexLock lock(&mutex);
    --num_threads;
  }
};

ConnectionThreads::ConnectionThreads(int64_t max_threads)
    : max_threads_(max_threads), state_(std::make_shared<State>()) {}

ConnectionThreads::~ConnectionThreads() { shutdown(); }

void ConnectionThreads::enqueue(std::function<void()> serve) {
  if (state_->TryAdd(max_threads_)) {
    try {
      std::thread([state = state_, serve]() mutable {
        serve();
        serve = nullptr;
        state->Remove();
      }).detach();
      return;
    } catch (const std::system_error& error) {
      LOG(WARNING) << "no thread for a connection: " << error.what();
      state_->Remove();
    }
  }
  in_the_way = true;
  serve();
  in_the_way = false;
}

void ConnectionThreads::shutdown() {
  absl::MutexLock lock(&state_->mutex);
  state_->mutex.Await(absl::Condition(
      +[](State* state)
           ABSL_NO_THREAD_SAFETY_ANALYSIS { return state->num_threads == 0; },
      state_.get()));
}

bool ConnectionThreads::InTheWay() { return in_the_way; }

}  // namespace hybridserve::http
