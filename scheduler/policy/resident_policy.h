#ifndef HYBRIDSERVE_SCHEDULER_POLICY_RESIDENT_POLICY_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_RESIDENT_POLICY_H_

#include <optional>
#include <vector>

#include "scheduler/policy/fixed_policy.h"

namespace hybridserve {

// The baseline `resident`: nothing crosses the link. Weights and keys and
// values are on the device alone, so a worker must hold all weights there, and
// runs as many sequences as what is left takes. The bound of what offloading
// can reach.
//
// Thread-safe.
class ResidentPolicy final : public FixedPolicy {
 public:
  ResidentPolicy() : FixedPolicy("resident", 0, "policy resident") {}

  absl::Status CheckWorker(const WorkerInfo& worker,
                           const ModelConfig& config) const override;
  std::optional<double> resident_weights() const override { return 100; }
  std::vector<PoolInfo> UsablePools(const WorkerInfo& worker) const override;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_RESIDENT_POLICY_H_
