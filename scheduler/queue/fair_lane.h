#ifndef HYBRIDSERVE_SCHEDULER_QUEUE_FAIR_LANE_H_
#define HYBRIDSERVE_SCHEDULER_QUEUE_FAIR_LANE_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/node_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "scheduler/queue/request_key.h"

namespace hybridserve {

// What the queue knows of a request that waits.
struct WaitingRequest {
  RequestKey key;
  std::string tenant;    // Whose it is.
  int32_t priority = 0;  // Among its tenant's; larger goes first.
  int64_t tokens = 0;    // Prompt + max_tokens.
};

// Requests that wait for the same workers, in the order in which they are to be
// served. Those that were served and came back are first, oldest first. Then
// tenants take turns, so that while they all have something waiting they get
// equal numbers of tokens, however many requests each has (start-time fair
// queueing: Goyal, Vin, Cheng, SIGCOMM 1996); a tenant's own go by priority,
// then by age.
//
// Thread-compatible.
class FairLane {
 public:
  // Adds a request that does not wait here; `came_back`: it had been taken.
  void Add(const WaitingRequest& request, bool came_back);

  // It leaves unserved. It waits here; `request` is as it was added.
  void Remove(const WaitingRequest& request);
  // It leaves to be served: its tenant's next one comes the later.
  void Take(const WaitingRequest& request);

  // Calls `visitor` in the order of service, as if each were taken, until it
  // returns false. The visitor leaves the lane alone.
  void Visit(absl::FunctionRef<bool(RequestKey)> visitor) const;

  // Tokens that are served before a new request of so many would be.
  int64_t TokensBefore(absl::string_view tenant, int64_t tokens) const;

  int64_t size() const { return size_; }
  int64_t tokens() const { return tokens_; }
  bool empty() const { return size_ == 0; }

 private:
  // Highest priority first, then the oldest.
  using Order = std::pair<int64_t, RequestKey>;
  struct Tenant {
    absl::btree_map<Order, int64_t> tokens_of;
    int64_t tokens = 0;
    // Virtual time at which its next request starts: tokens that each tenant
    // with something waiting has been served.
    int64_t start = 0;
  };
  // Who is next, of those with something waiting.
  using Turn = std::tuple<int64_t, RequestKey, const Tenant*>;
  struct Cursor;

  static Order OrderOf(const WaitingRequest& request) {
    return {-int64_t{request.priority}, request.key};
  }
  static Turn TurnOf(const Tenant& tenant) {
    return {tenant.start, tenant.tokens_of.begin()->first.second, &tenant};
  }
  void Erase(const WaitingRequest& request, bool served);

  absl::btree_map<RequestKey, int64_t> came_back_;  // Tokens.
  // Those with something waiting, and those ahead of `now_`. Their addresses
  // are in `turns_`.
  absl::node_hash_map<std::string, Tenant> tenants_;
  absl::btree_set<Turn> turns_;
  int64_t now_ = 0;  // Virtual time: the start of what was taken last.
  int64_t size_ = 0;
  int64_t tokens_ = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_QUEUE_FAIR_LANE_H_
