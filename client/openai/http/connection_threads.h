#ifndef HYBRIDSERVE_CLIENT_OPENAI_HTTP_CONNECTION_THREADS_H_
#define HYBRIDSERVE_CLIENT_OPENAI_HTTP_CONNECTION_THREADS_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "httplib.h"

namespace hybridserve::http {

// A thread for each connection, made when it comes, up to a limit. The
// library's own pool lets connections queue without one.
//
// Thread-safe.
class ConnectionThreads final : public httplib::TaskQueue {
 public:
  explicit ConnectionThreads(int64_t max_threads);
  ~ConnectionThreads() override;

  // Runs `serve` on a thread; at once, on this one, if there are too many:
  // it finds out (InTheWay()) and must be quick.
  void enqueue(std::function<void()> serve) override;

  // Waits for all threads to end.
  void shutdown() override;

  // Whether what runs on this thread holds up those that come after it.
  static bool InTheWay();

 private:
  struct State;

  const int64_t max_threads_;
  // Shared with threads, which may end last.
  const std::shared_ptr<State> state_;
};

}  // namespace hybridserve::http

#endif  // HYBRIDSERVE_CLIENT_OPENAI_HTTP_CONNECTION_THREADS_H_
