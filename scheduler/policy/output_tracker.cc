#include "scheduler/policy/output_tracker.h"

#include <algorithm>
#include <cmath>

#include "glog/logging.h"

namespace hybridserve {
namespace {

constexpr double kWeight = 1.0 / 32;  // Of the latest request.

}  // namespace

void OutputTracker::Add(int64_t generated, int64_t max_tokens) {
  CHECK_GT(max_tokens, 0);
  CHECK(generated >= 0 && generated <= max_tokens)
      << generated << " of " << max_tokens << " tokens";
  const double share =
      static_cast<double>(generated) / static_cast<double>(max_tokens);
  deviation_ += kWeight * (std::abs(share - mean_) - deviation_);
  mean_ += kWeight * (share - mean_);
}

double OutputTracker::share() const {
  return std::min(1.0, mean_ + deviation_);
}

}  // namespace hybridserve
