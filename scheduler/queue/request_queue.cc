#include "scheduler/queue/request_queue.h"

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hybridserve {

RequestQueue::RequestQueue(int64_t max_requests, int64_t max_tokens)
    : max_requests_(max_requests), max_tokens_(max_tokens) {
  CHECK_GE(max_requests, 0);
  CHECK_GE(max_tokens, 0);
}

absl::Status RequestQueue::Push(absl::string_view lane, RequestKey key,
                                int64_t tokens) {
  if (size() >= max_requests_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the queue is full: ", size(),
                     " requests wait, the most "
                     "that may"));
  }
  if (tokens > max_tokens_ - tokens_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the queue is full: ", tokens_, " tokens wait, and ",
                     tokens, " more would pass the limit of ", max_tokens_));
  }
  PutBack(lane, key, tokens);
  return absl::OkStatus();
}

void RequestQueue::PutBack(absl::string_view lane_name, RequestKey key,
                           int64_t tokens) {
  CHECK(lane_of_.emplace(key, lane_name).second)
      << "request " << key << " waits already";
  Lane& lane = lanes_[lane_name];
  lane.tokens_of.emplace(key, tokens);
  lane.tokens += tokens;
  tokens_ += tokens;
}

bool RequestQueue::Remove(RequestKey key) {
  const auto place = lane_of_.find(key);
  if (place == lane_of_.end()) return false;
  const auto lane = lanes_.find(place->second);
  CHECK(lane != lanes_.end());
  const auto entry = lane->second.tokens_of.find(key);
  CHECK(entry != lane->second.tokens_of.end());
  tokens_ -= entry->second;
  lane->second.tokens -= entry->second;
  lane->second.tokens_of.erase(entry);
  if (lane->second.tokens_of.empty()) lanes_.erase(lane);
  lane_of_.erase(place);
  return true;
}

void RequestQueue::Visit(absl::string_view lane,
                         absl::FunctionRef<bool(RequestKey)> visitor) const {
  const auto it = lanes_.find(lane);
  if (it == lanes_.end()) return;
  for (const auto& [key, tokens] : it->second.tokens_of) {
    if (!visitor(key)) return;
  }
}

int64_t RequestQueue::LaneSize(absl::string_view lane) const {
  const auto it = lanes_.find(lane);
  return it == lanes_.end() ? 0
                            : static_cast<int64_t>(it->second.tokens_of.size());
}

int64_t RequestQueue::LaneTokens(absl::string_view lane) const {
  const auto it = lanes_.find(lane);
  return it == lanes_.end() ? 0 : it->second.tokens;
}

}  // namespace hybridserve
