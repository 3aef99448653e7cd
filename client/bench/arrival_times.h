#ifndef HYBRIDSERVE_CLIENT_BENCH_ARRIVAL_TIMES_H_
#define HYBRIDSERVE_CLIENT_BENCH_ARRIVAL_TIMES_H_

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"

namespace hybridserve {

// What the times at which requests' tokens came say: one vector a request, in
// order of time. Pure.

// Tokens a second from `sent` to the last token. At least one token.
double TotalTokensPerSecond(absl::Time sent,
                            absl::Span<const std::vector<absl::Time>> arrivals);

// Seconds from `sent` to the first token: the median of the requests, each of
// which has one.
double MedianSecondsToFirst(absl::Time sent,
                            absl::Span<const std::vector<absl::Time>> arrivals);

// Seconds between two tokens of a request: the median of the requests' means.
// Unset if none has two.
std::optional<double> MedianSecondsBetween(
    absl::Span<const std::vector<absl::Time>> arrivals);

// Tokens a second of all requests together within [begin, end], by the times
// between tokens. Unset if none has two tokens in there.
std::optional<double> TokensPerSecondWithin(
    absl::Time begin, absl::Time end,
    absl::Span<const std::vector<absl::Time>> arrivals);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_ARRIVAL_TIMES_H_
