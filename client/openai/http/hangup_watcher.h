#ifndef HYBRIDSERVE_CLIENT_OPENAI_HTTP_HANGUP_WATCHER_H_
#define HYBRIDSERVE_CLIENT_OPENAI_HTTP_HANGUP_WATCHER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace hybridserve::http {

// Tells when the other end of a socket closes it, while whoever serves it is
// busy with other things. One thread for all sockets.
//
// A client that only shuts down its writing side counts as gone: an HTTP client
// that waits for its answer has no reason to.
//
// Thread-safe.
class HangupWatcher {
 public:
  // One socket's. Outlived by its watcher.
  class Watch {
   public:
    // After this the function is not called, and not running.
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    friend class HangupWatcher;
    Watch(HangupWatcher& watcher, int fd, uint64_t id)
        : watcher_(watcher), fd_(fd), id_(id) {}

    HangupWatcher& watcher_;
    const int fd_;
    const uint64_t id_;
  };

  HangupWatcher();
  ~HangupWatcher();
  HangupWatcher(const HangupWatcher&) = delete;
  HangupWatcher& operator=(const HangupWatcher&) = delete;

  // Calls `on_hangup` once, on the watcher's thread, when the other end of `fd`
  // closes or has closed it. It must not wait, nor end a Watch. `fd` stays open
  // meanwhile, with one Watch at a time.
  std::unique_ptr<Watch> Start(int fd, std::function<void()> on_hangup);

 private:
  void Run();

  const int epoll_;
  const int stop_;     // An eventfd.
  absl::Mutex mutex_;  // Held while a function runs.
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<uint64_t, std::function<void()>> functions_
      ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace hybridserve::http

#endif  // HYBRIDSERVE_CLIENT_OPENAI_HTTP_HANGUP_WATCHER_H_
