#ifndef HYBRIDSERVE_CLIENT_BENCH_STATISTICS_H_
#define HYBRIDSERVE_CLIENT_BENCH_STATISTICS_H_

#include <optional>
#include <vector>

#include "absl/types/span.h"

namespace hybridserve {

// The middle of `values`, the mean of the middle two if their number is even.
// Crashes if there are none.
double Median(std::vector<double> values);

// Several measurements of one thing.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
  std::vector<std::optional<double>> samples;  // In order, as measured.
};

// Of the values that are there; unset if none is.
std::optional<Spread> SpreadOf(absl::Span<const std::optional<double>> values);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_STATISTICS_H_
