#ifndef HYBRIDSERVE_CLIENT_OPENAI_HTTP_CONNECTION_GATE_H_
#define HYBRIDSERVE_CLIENT_OPENAI_HTTP_CONNECTION_GATE_H_

#include <cstdint>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hybridserve::http {

// Which connections there are, and which of them are busy with a request.
// Those that are not give way when there are as many as there may be, and when
// the server is to stop.
//
// Thread-safe.
class ConnectionGate {
 public:
  explicit ConnectionGate(int64_t max_connections);
  ~ConnectionGate();
  ConnectionGate(const ConnectionGate&) = delete;
  ConnectionGate& operator=(const ConnectionGate&) = delete;

  // False if there are too many by now: serve it no request. Leave() either
  // way.
  bool Enter(int fd);
  // Before `fd` is closed.
  void Leave(int fd);

  // Waits for a request's first byte on a connection that is not busy, which it
  // then is. False if the connection is to be closed: its client closed it or
  // was silent for so long, or it is to give way. `is_first`: it has served
  // none yet, and does not give way.
  bool WaitForRequest(int fd, bool has_buffered, bool is_first,
                      absl::Duration idle_timeout);
  void FinishRequest();

  // From now on connections end with the request they are busy with.
  void Drain();
  bool draining() const;
  // Whether no connection is busy, within the time.
  bool WaitUntilIdle(absl::Duration timeout) const;
  // Ends all connections in the middle of what they do.
  void CutAll();

 private:
  // Of poll(): the socket, or what wakes those that wait on one.
  bool WaitForBytes(int fd, bool is_first, absl::Duration timeout) const;
  void UpdateWake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int64_t max_connections_;
  // Eventfds, readable while idle connections are to give way, and while all
  // are that serve no request.
  const int crowded_;
  const int stopping_;
  mutable absl::Mutex mutex_;
  std::set<int> connections_ ABSL_GUARDED_BY(mutex_);
  int64_t num_busy_ ABSL_GUARDED_BY(mutex_) = 0;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool crowded_set_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hybridserve::http

#endif  // HYBRIDSERVE_CLIENT_OPENAI_HTTP_CONNECTION_GATE_H_
