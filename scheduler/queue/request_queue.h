#ifndef HYBRIDSERVE_SCHEDULER_QUEUE_REQUEST_QUEUE_H_
#define HYBRIDSERVE_SCHEDULER_QUEUE_REQUEST_QUEUE_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "scheduler/queue/fair_lane.h"
#include "scheduler/queue/request_key.h"

namespace hybridserve {

// Bounds on what waits, over all lanes.
struct QueueLimits {
  int64_t max_requests = 0;
  int64_t max_tokens = 0;
  // The part of the queue, in [0, 1], that a tenant with a name may fill while
  // it is the only one: it may hold tenant_share / (1 - tenant_share) times
  // what is still free. So there is always room for the next tenant. Requests
  // of no named tenant may fill all of it.
  double tenant_share = 1;
};

// Requests that wait for a worker, in one lane a model (fair_lane.h), so that a
// busy model holds up no other. The queue knows nothing else of them.
//
// Thread-compatible.
class RequestQueue {
 public:
  // Limits are >= 0.
  explicit RequestQueue(const QueueLimits& limits);

  // Adds a request that is not in the queue. ResourceExhausted, changing
  // nothing, if that would pass a bound.
  absl::Status Push(absl::string_view lane, const WaitingRequest& request);

  // As above for a request that was taken before: no bound refuses it, and it
  // goes before those that were not.
  void PutBack(absl::string_view lane, const WaitingRequest& request);

  // It leaves unserved. False if it is not in the queue.
  bool Remove(RequestKey key);
  // It leaves to be served, and is in the queue.
  void Take(RequestKey key);

  // Calls `visitor` with the lane's requests, the one that is next first, until
  // it returns false. The visitor leaves the queue alone.
  void Visit(absl::string_view lane,
             absl::FunctionRef<bool(RequestKey)> visitor) const;
  int64_t LaneSize(absl::string_view lane) const;
  int64_t LaneTokens(absl::string_view lane) const;
  // Tokens that are served before a new request of the tenant would be.
  int64_t TokensBefore(absl::string_view lane, absl::string_view tenant,
                       int64_t tokens) const;
  // Tokens of the tenant's requests, in all lanes.
  int64_t TokensOf(absl::string_view tenant) const;
  bool Contains(RequestKey key) const { return places_.contains(key); }

  int64_t size() const { return static_cast<int64_t>(places_.size()); }
  int64_t tokens() const { return tokens_; }

 private:
  struct Place {
    std::string lane;
    WaitingRequest request;
  };
  struct Held {
    int64_t requests = 0;
    int64_t tokens = 0;
  };

  absl::Status CheckTenant(const WaitingRequest& request) const;
  void Add(absl::string_view lane, const WaitingRequest& request,
           bool came_back);
  void Forget(RequestKey key);

  const QueueLimits limits_;
  int64_t tokens_ = 0;
  absl::flat_hash_map<std::string, FairLane> lanes_;  // Empty ones are erased.
  absl::node_hash_map<RequestKey, Place> places_;
  absl::flat_hash_map<std::string, Held> held_;  // By tenants that have some.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_QUEUE_REQUEST_QUEUE_H_
