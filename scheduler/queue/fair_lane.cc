#include "scheduler/queue/fair_lane.h"

#include <algorithm>
#include <queue>
#include <vector>

#include "glog/logging.h"

namespace hybridserve {

void FairLane::Add(const WaitingRequest& request, bool came_back) {
  ++size_;
  tokens_ += request.tokens;
  if (came_back) {
    CHECK(came_back_.emplace(request.key, request.tokens).second);
    return;
  }
  Tenant& tenant = tenants_[request.tenant];
  if (tenant.tokens_of.empty()) {
    // Time that it had nothing to ask for gives it no credit.
    tenant.start = std::max(tenant.start, now_);
  } else {
    turns_.erase(TurnOf(tenant));
  }
  CHECK(tenant.tokens_of.emplace(OrderOf(request), request.tokens).second);
  tenant.tokens += request.tokens;
  turns_.insert(TurnOf(tenant));
}

void FairLane::Remove(const WaitingRequest& request) {
  Erase(request, /*served=*/false);
}

void FairLane::Take(const WaitingRequest& request) {
  Erase(request, /*served=*/true);
}

void FairLane::Erase(const WaitingRequest& request, bool served) {
  --size_;
  tokens_ -= request.tokens;
  if (came_back_.erase(request.key) == 0) {
    const auto it = tenants_.find(request.tenant);
    CHECK(it != tenants_.end()) << request.key;
    Tenant& tenant = it->second;
    turns_.erase(TurnOf(tenant));
    CHECK_EQ(tenant.tokens_of.erase(OrderOf(request)), 1U) << request.key;
    tenant.tokens -= request.tokens;
    if (served) {
      now_ = std::max(now_, tenant.start);
      tenant.start += request.tokens;
    }
    if (!tenant.tokens_of.empty()) turns_.insert(TurnOf(tenant));
  }
  if (turns_.empty()) {
    // Nobody waits whom anybody could be ahead of.
    tenants_.clear();
    now_ = 0;
  } else if (served) {
    absl::erase_if(tenants_, [this](const auto& it) {
      return it.second.tokens_of.empty() && it.second.start <= now_;
    });
  }
}

// A tenant's place in a visit: the request that it would be served next.
struct FairLane::Cursor {
  int64_t start;
  absl::btree_map<Order, int64_t>::const_iterator next;
  absl::btree_map<Order, int64_t>::const_iterator end;

  // For a queue whose top is the greatest.
  bool operator<(const Cursor& other) const {
    return std::make_pair(start, next->first.second) >
           std::make_pair(other.start, other.next->first.second);
  }
};

void FairLane::Visit(absl::FunctionRef<bool(RequestKey)> visitor) const {
  for (const auto& [key, tokens] : came_back_) {
    if (!visitor(key)) return;
  }
  // Tenants that were visited and have more; the others are in `turns_`.
  std::priority_queue<Cursor> visited;
  auto turn = turns_.begin();
  while (turn != turns_.end() || !visited.empty()) {
    Cursor cursor;
    const bool is_new =
        turn != turns_.end() &&
        (visited.empty() ||
         std::make_pair(std::get<0>(*turn), std::get<1>(*turn)) <
             std::make_pair(visited.top().start,
                            visited.top().next->first.second));
    if (is_new) {
      const Tenant& tenant = *std::get<2>(*turn);
      cursor = {.start = tenant.start,
                .next = tenant.tokens_of.begin(),
                .end = tenant.tokens_of.end()};
      ++turn;
    } else {
      cursor = visited.top();
      visited.pop();
    }
    if (!visitor(cursor.next->first.second)) return;
    cursor.start += cursor.next->second;
    if (++cursor.next != cursor.end) visited.push(cursor);
  }
}

int64_t FairLane::TokensBefore(absl::string_view name, int64_t tokens) const {
  int64_t before = 0;
  for (const auto& [key, returned] : came_back_) before += returned;
  const auto own = tenants_.find(name);
  const int64_t queued = own == tenants_.end() ? 0 : own->second.tokens;
  const int64_t start = own == tenants_.end() ? now_ : own->second.start;
  // By then each of the others has come as far in virtual time.
  const int64_t until = std::max(start, now_) + queued + tokens;
  for (const auto& [other, tenant] : tenants_) {
    if (other == name) continue;
    before += std::clamp<int64_t>(until - tenant.start, 0, tenant.tokens);
  }
  return before + queued;
}

}  // namespace hybridserve
