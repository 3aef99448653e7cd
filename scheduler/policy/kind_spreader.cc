#include "scheduler/policy/kind_spreader.h"

#include <algorithm>
#include <cmath>

#include "glog/logging.h"

namespace hybridserve {
namespace {

constexpr double kMostSteering = 0.25;

}  // namespace

std::vector<CacheKind> SpreadKinds(double act_ratio, int64_t num_blocks,
                                   int64_t num_recomputed) {
  CHECK(act_ratio >= 0 && act_ratio <= 1) << act_ratio;
  CHECK(num_recomputed >= 0 && num_recomputed <= num_blocks)
      << num_recomputed << " of " << num_blocks;
  std::vector<CacheKind> kinds(num_blocks, CacheKind::kKv);
  std::fill_n(kinds.begin(), num_recomputed, CacheKind::kTokens);
  for (int64_t i = num_recomputed; i < num_blocks; ++i) {
    const auto before = static_cast<double>(i - num_recomputed);
    if (std::floor((before + 1) * act_ratio) > std::floor(before * act_ratio)) {
      kinds[i] = CacheKind::kAct;
    }
  }
  return kinds;
}

double SteeredActRatio(double act_ratio, int64_t num_act, int64_t num_blocks,
                       int64_t num_new) {
  CHECK(act_ratio >= 0 && act_ratio <= 1) << act_ratio;
  CHECK_GT(num_new, 0);
  // One kind alone is not a share to come near to.
  if (act_ratio == 0 || act_ratio == 1) return act_ratio;
  const double wanted = act_ratio * static_cast<double>(num_blocks + num_new) -
                        static_cast<double>(num_act);
  return std::clamp(wanted / static_cast<double>(num_new),
                    std::max(0.0, act_ratio - kMostSteering),
                    std::min(1.0, act_ratio + kMostSteering));
}

}  // namespace hybridserve
