#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/linear_cost.h"
#include "common/work.h"
#include "scheduler/core/worker_state.h"

// Kinds of work that the mix avoids are tried now and then, so that their costs
// stay known: a wrong one would else keep the mix wrong for ever. The blocks
// for it are the first ones of a sequence that joins; they lie on the host, as
// only what crosses the link shows what it costs.

namespace hybridserve {

std::optional<WorkerState::Probe> WorkerState::DueProbe() const {
  if (!policy_.probes() || !costs_.shape.act_pays || costs_.shape.one_memory ||
      totals_.steps - last_probe_ < ProfileTracker::kUnusedSteps) {
    return std::nullopt;
  }
  const DecodeShape& shape = costs_.shape;
  const double rows = shape.block_tokens;
  const struct {
    CacheKind kind;
    WorkKind work;
    double units;  // Of a block.
  } probes[] = {
      {CacheKind::kAct, WorkKind::kRebuild, rows},
      {CacheKind::kAct, WorkKind::kAct, rows * shape.act_bytes_per_token},
      {CacheKind::kKv, WorkKind::kKv, rows * shape.kv_bytes_per_token}};
  for (const auto& probe : probes) {
    if (!tracker_.IsUnused(probe.work)) continue;
    const LinearCost& cost = tracker_.profile().cost(probe.work);
    const double block = cost.seconds_per_unit * probe.units;
    return Probe{
        .kind = probe.kind,
        .blocks =
            block > 0
                ? std::max(1.0,
                           std::ceil(absl::ToDoubleSeconds(cost.fixed) / block))
                : 1};
  }
  return std::nullopt;
}

int64_t WorkerState::AddProbe(std::vector<CacheKind>& kinds) const {
  const std::optional<Probe> probe = DueProbe();
  if (!probe.has_value() || kinds.empty()) return 0;
  const size_t most = (kinds.size() + 1) / 2;
  const auto count =
      static_cast<int64_t>(std::min(probe->blocks, static_cast<double>(most)));
  std::vector<CacheKind> probing = kinds;
  std::fill_n(probing.begin(), count, probe->kind);
  if (!FitsIdle(probing)) return 0;
  kinds = std::move(probing);
  return count;
}

}  // namespace hybridserve
