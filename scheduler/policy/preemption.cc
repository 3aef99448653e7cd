#include "scheduler/policy/preemption.h"

#include <algorithm>

namespace hybridserve {

std::vector<int32_t> ChoosePreempted(
    absl::Span<const PreemptionCandidate> oldest_first, int64_t half_slots) {
  std::vector<int32_t> cheapest_first;
  for (size_t i = 1; i < oldest_first.size(); ++i) {
    cheapest_first.push_back(static_cast<int32_t>(i));
  }
  std::sort(cheapest_first.begin(), cheapest_first.end(),
            [&oldest_first](int32_t i, int32_t j) {
              const PreemptionCandidate& a = oldest_first[i];
              const PreemptionCandidate& b = oldest_first[j];
              // Cost a half-slot, without the divisions.
              const int64_t cost_a = a.replay_positions * b.half_slots;
              const int64_t cost_b = b.replay_positions * a.half_slots;
              return cost_a != cost_b ? cost_a < cost_b : i > j;
            });
  std::vector<int32_t> chosen;
  int64_t freed = 0;
  for (const int32_t i : cheapest_first) {
    if (freed >= half_slots) break;
    chosen.push_back(i);
    freed += oldest_first[i].half_slots;
  }
  // A later one may give more than enough on its own. Dearest first.
  std::vector<int32_t> needed;
  for (auto it = chosen.rbegin(); it != chosen.rend(); ++it) {
    const int64_t given = oldest_first[*it].half_slots;
    if (freed - given >= half_slots) {
      freed -= given;
    } else {
      needed.push_back(*it);
    }
  }
  std::sort(needed.begin(), needed.end());
  return needed;
}

}  // namespace hybridserve
