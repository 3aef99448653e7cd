#include "scheduler/policy/kind_spreader.h"

#include <algorithm>
#include <cmath>

#include "glog/logging.h"

namespace hybridserve {
namespace {

constexpr double kMostSteering = 0.25;

}  // namespace

std::vector<CacheKind> SpreadKinds(int64_t num_act, int64_t num_blocks,
                                   int64_t num_recomputed) {
  CHECK(num_act >= 0 && num_act <= num_blocks)
      << num_act << " of " << num_blocks;
  CHECK_GE(num_recomputed, 0);
  std::vector<CacheKind> kinds(num_recomputed, CacheKind::kTokens);
  kinds.reserve(num_recomputed + num_blocks);
  for (int64_t i = 0; i < num_blocks; ++i) {
    const bool act = (i + 1) * num_act / num_blocks > i * num_act / num_blocks;
    kinds.push_back(act ? CacheKind::kAct : CacheKind::kKv);
  }
  return kinds;
}

int64_t SteeredActBlocks(double act_ratio, int64_t num_act, int64_t num_blocks,
                         int64_t num_new) {
  CHECK(act_ratio >= 0 && act_ratio <= 1) << act_ratio;
  const auto blocks = static_cast<double>(num_new);
  // One kind alone is not a share to come near to.
  if (act_ratio == 0 || act_ratio == 1) return act_ratio == 0 ? 0 : num_new;
  const double wanted = act_ratio * (static_cast<double>(num_blocks) + blocks) -
                        static_cast<double>(num_act);
  return std::llround(
      std::clamp(wanted, std::max(0.0, act_ratio - kMostSteering) * blocks,
                 std::min(1.0, act_ratio + kMostSteering) * blocks));
}

}  // namespace hybridserve
