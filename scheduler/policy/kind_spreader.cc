#include "scheduler/policy/kind_spreader.h"

#include <cmath>

#include "glog/logging.h"

namespace hybridserve {

std::vector<CacheKind> SpreadKinds(double act_ratio, int64_t num_blocks) {
  CHECK(act_ratio >= 0 && act_ratio <= 1) << act_ratio;
  CHECK_GE(num_blocks, 0);
  std::vector<CacheKind> kinds(num_blocks, CacheKind::kKv);
  for (int64_t i = 0; i < num_blocks; ++i) {
    const auto before = static_cast<double>(i);
    if (std::floor((before + 1) * act_ratio) > std::floor(before * act_ratio)) {
      kinds[i] = CacheKind::kAct;
    }
  }
  return kinds;
}

}  // namespace hybridserve
