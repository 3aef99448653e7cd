#include "tests/load/length_distribution.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hybridserve {
namespace {

constexpr int64_t kLongest = int64_t{1} << 20;
constexpr int64_t kTail = 8;  // Means.

bool ParseLength(absl::string_view text, int64_t& length) {
  return absl::SimpleAtoi(text, &length) && length >= 1 && length <= kLongest;
}

}  // namespace

absl::StatusOr<LengthDistribution> LengthDistribution::Parse(
    absl::string_view text) {
  int64_t low = 0;
  int64_t high = 0;
  if (ParseLength(text, low)) return LengthDistribution(low, low, false);
  absl::string_view mean = text;
  if (absl::ConsumePrefix(&mean, "geometric:") && ParseLength(mean, low)) {
    return LengthDistribution(low, kTail * low, true);
  }
  const std::pair<std::string, std::string> range =
      absl::StrSplit(text, absl::MaxSplits('-', 1));
  if (ParseLength(range.first, low) && ParseLength(range.second, high) &&
      low <= high) {
    return LengthDistribution(low, high, false);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is none of N, LOW-HIGH and geometric:MEAN"));
}

int64_t LengthDistribution::Draw(std::mt19937_64& random) const {
  if (!geometric_) {
    return std::uniform_int_distribution<int64_t>(low_, high_)(random);
  }
  std::geometric_distribution<int64_t> more(1.0 / static_cast<double>(low_));
  return std::min(1 + more(random), high_);
}

}  // namespace hybridserve
