#ifndef HYBRIDSERVE_TESTS_LOAD_LENGTH_DISTRIBUTION_H_
#define HYBRIDSERVE_TESTS_LOAD_LENGTH_DISTRIBUTION_H_

#include <cstdint>
#include <random>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// Lengths of prompts or outputs: always one, evenly spread, or geometric with a
// long tail. Thread-compatible.
class LengthDistribution {
 public:
  // "N", "LOW-HIGH", or "geometric:MEAN" (cut at 8 times the mean); lengths are
  // at least 1. InvalidArgument otherwise.
  static absl::StatusOr<LengthDistribution> Parse(absl::string_view text);

  int64_t Draw(std::mt19937_64& random) const;

 private:
  LengthDistribution(int64_t low, int64_t high, bool geometric)
      : low_(low), high_(high), geometric_(geometric) {}

  int64_t low_;  // Or the mean.
  int64_t high_;
  bool geometric_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_TESTS_LOAD_LENGTH_DISTRIBUTION_H_
