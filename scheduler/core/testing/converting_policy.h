#ifndef HYBRIDSERVE_SCHEDULER_CORE_TESTING_CONVERTING_POLICY_H_
#define HYBRIDSERVE_SCHEDULER_CORE_TESTING_CONVERTING_POLICY_H_

#include "scheduler/policy/policy.h"
#include "scheduler/policy/testing/forwarding_policy.h"

namespace hybridserve {

// Most blocks begin as ACT, and become KV where a step computes too long: with
// a slow worker many do. Thread-safe.
class ConvertingPolicy final : public ForwardingPolicy {
 public:
  ConvertingPolicy() : ForwardingPolicy(ParsePolicy("hybrid", 0.8).value()) {}

  bool converts() const override { return true; }
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_TESTING_CONVERTING_POLICY_H_
