#include "scheduler/queue/request_queue.h"

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hybridserve {

RequestQueue::RequestQueue(const QueueLimits& limits) : limits_(limits) {
  CHECK_GE(limits.max_requests, 0);
  CHECK_GE(limits.max_tokens, 0);
  CHECK_GE(limits.tenant_share, 0);
  CHECK_LE(limits.tenant_share, 1);
}

absl::Status RequestQueue::Push(absl::string_view lane,
                                const WaitingRequest& request) {
  if (size() >= limits_.max_requests) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the queue is full: ", size(),
                     " requests wait, the most "
                     "that may"));
  }
  if (request.tokens > limits_.max_tokens - tokens_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the queue is full: ", tokens_, " tokens wait, and ", request.tokens,
        " more would pass the limit of ", limits_.max_tokens));
  }
  if (absl::Status status = CheckTenant(request); !status.ok()) return status;
  Add(lane, request, /*came_back=*/false);
  return absl::OkStatus();
}

// Dynamic thresholds (Choudhury and Hahne, IEEE/ACM ToN 1998).
absl::Status RequestQueue::CheckTenant(const WaitingRequest& request) const {
  if (request.tenant.empty() || limits_.tenant_share >= 1) {
    return absl::OkStatus();
  }
  const double factor = limits_.tenant_share / (1 - limits_.tenant_share);
  const auto it = held_.find(request.tenant);
  const Held held = it == held_.end() ? Held() : it->second;
  if (static_cast<double>(held.requests) >
      factor * static_cast<double>(limits_.max_requests - size())) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the queue is full for tenant ", request.tenant, ": ", held.requests,
        " of its requests wait, its share of ", limits_.max_requests));
  }
  if (static_cast<double>(held.tokens) >
      factor * static_cast<double>(limits_.max_tokens - tokens_)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the queue is full for tenant ", request.tenant, ": ", held.tokens,
        " of its tokens wait, its share of ", limits_.max_tokens));
  }
  return absl::OkStatus();
}

void RequestQueue::PutBack(absl::string_view lane,
                           const WaitingRequest& request) {
  Add(lane, request, /*came_back=*/true);
}

void RequestQueue::Add(absl::string_view lane, const WaitingRequest& request,
                       bool came_back) {
  const bool added = places_
                         .emplace(request.key, Place{.lane = std::string{lane},
                                                     .request = request})
                         .second;
  CHECK(added) << "request " << request.key << " waits already";
  lanes_[lane].Add(request, came_back);
  tokens_ += request.tokens;
  Held& held = held_[request.tenant];
  ++held.requests;
  held.tokens += request.tokens;
}

bool RequestQueue::Remove(RequestKey key) {
  const auto it = places_.find(key);
  if (it == places_.end()) return false;
  lanes_.at(it->second.lane).Remove(it->second.request);
  Forget(key);
  return true;
}

void RequestQueue::Take(RequestKey key) {
  const auto it = places_.find(key);
  CHECK(it != places_.end()) << "request " << key << " does not wait";
  lanes_.at(it->second.lane).Take(it->second.request);
  Forget(key);
}

void RequestQueue::Forget(RequestKey key) {
  const auto it = places_.find(key);
  const auto& [lane, request] = it->second;
  tokens_ -= request.tokens;
  const auto held = held_.find(request.tenant);
  held->second.tokens -= request.tokens;
  if (--held->second.requests == 0) held_.erase(held);
  if (lanes_.at(lane).empty()) lanes_.erase(lane);
  places_.erase(it);
}

void RequestQueue::Visit(absl::string_view lane,
                         absl::FunctionRef<bool(RequestKey)> visitor) const {
  const auto it = lanes_.find(lane);
  if (it != lanes_.end()) it->second.Visit(visitor);
}

int64_t RequestQueue::LaneSize(absl::string_view lane) const {
  const auto it = lanes_.find(lane);
  return it == lanes_.end() ? 0 : it->second.size();
}

int64_t RequestQueue::LaneTokens(absl::string_view lane) const {
  const auto it = lanes_.find(lane);
  return it == lanes_.end() ? 0 : it->second.tokens();
}

int64_t RequestQueue::TokensOf(absl::string_view tenant) const {
  const auto it = held_.find(tenant);
  return it == held_.end() ? 0 : it->second.tokens;
}

int64_t RequestQueue::TokensBefore(absl::string_view lane,
                                   absl::string_view tenant,
                                   int64_t tokens) const {
  const auto it = lanes_.find(lane);
  return it == lanes_.end() ? 0 : it->second.TokensBefore(tenant, tokens);
}

}  // namespace hybridserve
