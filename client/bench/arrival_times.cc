#include "client/bench/arrival_times.h"

#include <algorithm>
#include <utility>

#include "client/bench/statistics.h"
#include "glog/logging.h"

namespace hybridserve {

double TotalTokensPerSecond(
    absl::Time sent, absl::Span<const std::vector<absl::Time>> arrivals) {
  size_t tokens = 0;
  absl::Time last = sent;
  for (const std::vector<absl::Time>& times : arrivals) {
    tokens += times.size();
    if (!times.empty()) last = std::max(last, times.back());
  }
  CHECK_GT(tokens, 0);
  return static_cast<double>(tokens) / absl::ToDoubleSeconds(last - sent);
}

double MedianSecondsToFirst(
    absl::Time sent, absl::Span<const std::vector<absl::Time>> arrivals) {
  std::vector<double> seconds;
  for (const std::vector<absl::Time>& times : arrivals) {
    CHECK(!times.empty());
    seconds.push_back(absl::ToDoubleSeconds(times.front() - sent));
  }
  return Median(std::move(seconds));
}

std::optional<double> MedianSecondsBetween(
    absl::Span<const std::vector<absl::Time>> arrivals) {
  std::vector<double> means;
  for (const std::vector<absl::Time>& times : arrivals) {
    if (times.size() < 2) continue;
    means.push_back(absl::ToDoubleSeconds(times.back() - times.front()) /
                    static_cast<double>(times.size() - 1));
  }
  if (means.empty()) return std::nullopt;
  return Median(std::move(means));
}

std::optional<double> TokensPerSecondWithin(
    absl::Time begin, absl::Time end,
    absl::Span<const std::vector<absl::Time>> arrivals) {
  double rate = 0;
  for (const std::vector<absl::Time>& times : arrivals) {
    const auto first = std::lower_bound(times.begin(), times.end(), begin);
    const auto beyond = std::upper_bound(first, times.end(), end);
    if (beyond - first < 2) continue;
    const double seconds = absl::ToDoubleSeconds(*(beyond - 1) - *first);
    if (seconds > 0) {
      rate += static_cast<double>(beyond - first - 1) / seconds;
    }
  }
  if (rate == 0) return std::nullopt;
  return rate;
}

}  // namespace hybridserve
