#ifndef HYBRIDSERVE_SCHEDULER_QUEUE_REQUEST_QUEUE_H_
#define HYBRIDSERVE_SCHEDULER_QUEUE_REQUEST_QUEUE_H_

#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "scheduler/queue/request_key.h"

namespace hybridserve {

// Requests that wait for a worker, in one lane a model, so that a busy model
// holds up no other. Within a lane the oldest, which has the least key, is
// next, also where it comes back after others have come: first in, first out.
// The queue bounds requests and their tokens over all lanes, and knows nothing
// else of them.
//
// Thread-compatible.
class RequestQueue {
 public:
  // At most `max_requests` requests and `max_tokens` tokens, both >= 0.
  RequestQueue(int64_t max_requests, int64_t max_tokens);

  // Adds a request that is not in the queue. ResourceExhausted, changing
  // nothing, if that would pass a bound.
  absl::Status Push(absl::string_view lane, RequestKey key, int64_t tokens);

  // As above for a request that was accepted before: no bound refuses it.
  void PutBack(absl::string_view lane, RequestKey key, int64_t tokens);

  // False if it is not in the queue.
  bool Remove(RequestKey key);

  // Calls `visitor` with the lane's requests, the one that is next first, until
  // it returns false. The visitor leaves the queue alone.
  void Visit(absl::string_view lane,
             absl::FunctionRef<bool(RequestKey)> visitor) const;
  int64_t LaneSize(absl::string_view lane) const;
  int64_t LaneTokens(absl::string_view lane) const;
  bool Contains(RequestKey key) const { return lane_of_.contains(key); }

  int64_t size() const { return static_cast<int64_t>(lane_of_.size()); }
  int64_t tokens() const { return tokens_; }

 private:
  struct Lane {
    absl::btree_map<RequestKey, int64_t> tokens_of;  // By age.
    int64_t tokens = 0;
  };

  int64_t max_requests_;
  int64_t max_tokens_;
  int64_t tokens_ = 0;
  absl::flat_hash_map<std::string, Lane> lanes_;  // Empty ones are erased.
  absl::flat_hash_map<RequestKey, std::string> lane_of_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_QUEUE_REQUEST_QUEUE_H_
