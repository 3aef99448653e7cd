#include "tests/load/load_totals.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"

namespace hybridserve {

nlohmann::json Summarize(std::vector<double> seconds) {
  nlohmann::json summary = {{"count", seconds.size()}};
  if (seconds.empty()) return summary;
  std::sort(seconds.begin(), seconds.end());
  // The least that so large a share does not exceed.
  const auto quantile = [&seconds](double share) {
    const double rank = std::ceil(share * static_cast<double>(seconds.size()));
    return seconds[static_cast<size_t>(std::max(rank, 1.0)) - 1];
  };
  summary["mean"] = std::accumulate(seconds.begin(), seconds.end(), 0.0) /
                    static_cast<double>(seconds.size());
  summary["p50"] = quantile(0.5);
  summary["p90"] = quantile(0.9);
  summary["p99"] = quantile(0.99);
  summary["max"] = seconds.back();
  nlohmann::json histogram = nlohmann::json::array();
  auto counted = seconds.begin();
  for (double bound = 0.001; counted != seconds.end(); bound *= 2) {
    const auto end = std::upper_bound(counted, seconds.end(), bound);
    if (end != counted) {
      histogram.push_back({{"at_most_s", bound}, {"count", end - counted}});
    }
    counted = end;
  }
  summary["histogram"] = std::move(histogram);
  return summary;
}

LoadTotals::Second& LoadTotals::SecondOf(absl::Time time) {
  const int64_t second =
      std::max<int64_t>(0, absl::ToInt64Seconds(time - start_));
  if (second >= static_cast<int64_t>(timeline_.size())) {
    timeline_.resize(second + 1);
  }
  return timeline_[second];
}

void LoadTotals::CountSent(absl::Duration lag) {
  absl::MutexLock lock(&mutex_);
  ++counts_["sent"];
  times_["send_lag"].push_back(absl::ToDoubleSeconds(lag));
}

void LoadTotals::CountTokens(int64_t count, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  SecondOf(now).tokens += count;
}

void LoadTotals::Count(const LoadRequest& request, const LoadOutcome& outcome,
                       bool will_retry) {
  absl::MutexLock lock(&mutex_);
  counts_["resumed"] += outcome.resumed;
  counts_["wrong"] += outcome.wrong ? 1 : 0;
  counts_["completion_tokens"] += outcome.tokens;
  if (outcome.is_refusal()) CountRefusal(outcome);
  if (will_retry) {
    ++counts_["retries"];
    return;
  }
  ++codes_[absl::StatusCodeToString(outcome.status.code())];
  if (outcome.status.ok()) {
    CountFinished(request, outcome);
  } else if (outcome.is_refusal()) {
    ++counts_["refused"];
  } else if (outcome.cancelled) {
    ++counts_["cancelled"];
  } else {
    ++counts_["failed"];
  }
}

void LoadTotals::CountRefusal(const LoadOutcome& outcome) {
  ++counts_["refusals"];
  ++SecondOf(outcome.ended).refusals;
  times_["refusal_latency"].push_back(
      absl::ToDoubleSeconds(outcome.ended - outcome.sent));
  const std::optional<absl::Duration> delay = RetryDelayOf(outcome.status);
  if (delay.has_value()) {
    times_["retry_delay"].push_back(absl::ToDoubleSeconds(*delay));
  } else {
    ++counts_["refusals_without_retry_info"];
  }
}

void LoadTotals::CountFinished(const LoadRequest& request,
                               const LoadOutcome& outcome) {
  ++counts_["finished"];
  ++SecondOf(outcome.ended).finished;
  counts_["prompt_tokens"] += outcome.prompt_tokens;
  times_["latency"].push_back(
      absl::ToDoubleSeconds(outcome.ended - outcome.sent));
  times_["total_latency"].push_back(
      absl::ToDoubleSeconds(outcome.ended - request.first_sent));
  if (request.streams && outcome.tokens > 0) {
    times_["first_token"].push_back(
        absl::ToDoubleSeconds(outcome.first_token - outcome.sent));
  }
}

nlohmann::json LoadTotals::ToJson() const {
  absl::MutexLock lock(&mutex_);
  nlohmann::json json;
  for (const char* name :
       {"sent", "finished", "refused", "cancelled", "failed", "retries",
        "refusals", "refusals_without_retry_info", "wrong", "resumed",
        "prompt_tokens", "completion_tokens"}) {
    const auto it = counts_.find(name);
    json[name] = it == counts_.end() ? 0 : it->second;
  }
  json["codes"] = nlohmann::json::object();
  for (const auto& [code, count] : codes_) json["codes"][code] = count;
  for (const char* name : {"latency", "total_latency", "first_token",
                           "refusal_latency", "send_lag", "retry_delay"}) {
    const auto it = times_.find(name);
    json[name] =
        Summarize(it == times_.end() ? std::vector<double>() : it->second);
  }
  nlohmann::json& timeline = json["timeline"];
  timeline = {{"tokens", nlohmann::json::array()},
              {"finished", nlohmann::json::array()},
              {"refusals", nlohmann::json::array()}};
  for (const Second& second : timeline_) {
    timeline["tokens"].push_back(second.tokens);
    timeline["finished"].push_back(second.finished);
    timeline["refusals"].push_back(second.refusals);
  }
  return json;
}

}  // namespace hybridserve
