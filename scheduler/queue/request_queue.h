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

// Requests that wait for a worker, in one first-in-first-out lane a model, so
// that a busy model holds up no other. It bounds requests and their tokens over
// all lanes, and knows nothing else of them.
//
// Thread-compatible.
class RequestQueue {
 public:
  // At most `max_requests` requests and `max_tokens` tokens, both >= 0.
  RequestQueue(int64_t max_requests, int64_t max_tokens);

  // Adds a request that is not in the queue at the end of `lane`.
  // ResourceExhausted, changing nothing, if that would pass a bound.
  absl::Status PushBack(absl::string_view lane, RequestKey key, int64_t tokens);

  // Adds a request that is not in the queue at the front: one that was accepted
  // before, so no bound refuses it.
  void PushFront(absl::string_view lane, RequestKey key, int64_t tokens);

  // False if it is not in the queue.
  bool Remove(RequestKey key);

  // Calls `visitor` with the lane's requests, the one that is next first, until
  // it returns false. The visitor leaves the queue alone.
  void Visit(absl::string_view lane,
             absl::FunctionRef<bool(RequestKey)> visitor) const;
  int64_t LaneSize(absl::string_view lane) const;
  int64_t LaneTokens(absl::string_view lane) const;
  bool Contains(RequestKey key) const { return places_.contains(key); }

  int64_t size() const { return static_cast<int64_t>(places_.size()); }
  int64_t tokens() const { return tokens_; }

 private:
  struct Entry {
    RequestKey key;
    int64_t tokens = 0;
  };
  struct Lane {
    absl::btree_map<int64_t, Entry> entries;  // By position; may be negative.
    int64_t tokens = 0;
  };
  struct Place {
    std::string lane;
    int64_t position = 0;
  };

  void Insert(absl::string_view lane, bool front, const Entry& entry);

  int64_t max_requests_;
  int64_t max_tokens_;
  int64_t tokens_ = 0;
  absl::flat_hash_map<std::string, Lane> lanes_;  // Empty ones are erased.
  absl::flat_hash_map<RequestKey, Place> places_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_QUEUE_REQUEST_QUEUE_H_
