#include "client/bench/statistics.h"

#include <algorithm>
#include <utility>

#include "glog/logging.h"

namespace hybridserve {

double Median(std::vector<double> values) {
  CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

std::optional<Spread> SpreadOf(absl::Span<const std::optional<double>> values) {
  std::vector<double> known;
  for (const std::optional<double>& value : values) {
    if (value.has_value()) known.push_back(*value);
  }
  if (known.empty()) return std::nullopt;
  const auto [min, max] = std::minmax_element(known.begin(), known.end());
  Spread spread = {
      .min = *min, .max = *max, .samples = {values.begin(), values.end()}};
  spread.median = Median(std::move(known));
  return spread;
}

}  // namespace hybridserve
