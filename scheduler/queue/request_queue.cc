#include "scheduler/queue/request_queue.h"

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hybridserve {

RequestQueue::RequestQueue(int64_t max_requests, int64_t max_tokens)
    : max_requests_(max_requests), max_tokens_(max_tokens) {
  CHECK_GE(max_requests, 0);
  CHECK_GE(max_tokens, 0);
}

absl::Status RequestQueue::PushBack(absl::string_view lane, RequestKey key,
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
  Insert(lane, /*front=*/false, {key, tokens});
  return absl::OkStatus();
}

void RequestQueue::PushFront(absl::string_view lane, RequestKey key,
                             int64_t tokens) {
  Insert(lane, /*front=*/true, {key, tokens});
}

void RequestQueue::Insert(absl::string_view lane_name, bool front,
                          const Entry& entry) {
  CHECK(!Contains(entry.key)) << "request " << entry.key << " waits already";
  Lane& lane = lanes_[lane_name];
  int64_t position = 0;
  if (!lane.entries.empty()) {
    position = front ? lane.entries.begin()->first - 1
                     : lane.entries.rbegin()->first + 1;
  }
  lane.entries.emplace(position, entry);
  lane.tokens += entry.tokens;
  tokens_ += entry.tokens;
  places_.emplace(entry.key, Place{std::string{lane_name}, position});
}

bool RequestQueue::Remove(RequestKey key) {
  const auto place = places_.find(key);
  if (place == places_.end()) return false;
  const auto lane = lanes_.find(place->second.lane);
  CHECK(lane != lanes_.end());
  const auto entry = lane->second.entries.find(place->second.position);
  CHECK(entry != lane->second.entries.end());
  tokens_ -= entry->second.tokens;
  lane->second.tokens -= entry->second.tokens;
  lane->second.entries.erase(entry);
  if (lane->second.entries.empty()) lanes_.erase(lane);
  places_.erase(place);
  return true;
}

void RequestQueue::Visit(absl::string_view lane,
                         absl::FunctionRef<bool(RequestKey)> visitor) const {
  const auto it = lanes_.find(lane);
  if (it == lanes_.end()) return;
  for (const auto& [position, entry] : it->second.entries) {
    if (!visitor(entry.key)) return;
  }
}

int64_t RequestQueue::LaneSize(absl::string_view lane) const {
  const auto it = lanes_.find(lane);
  return it == lanes_.end() ? 0
                            : static_cast<int64_t>(it->second.entries.size());
}

int64_t RequestQueue::LaneTokens(absl::string_view lane) const {
  const auto it = lanes_.find(lane);
  return it == lanes_.end() ? 0 : it->second.tokens;
}

}  // namespace hybridserve
