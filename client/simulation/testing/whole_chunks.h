#ifndef HYBRIDSERVE_CLIENT_SIMULATION_TESTING_WHOLE_CHUNKS_H_
#define HYBRIDSERVE_CLIENT_SIMULATION_TESTING_WHOLE_CHUNKS_H_

#include "scheduler/policy/testing/forwarding_policy.h"

namespace hybridserve {

// A policy's mixes with prompts in whole chunks, as fixed shares run them.
class WholeChunks final : public ForwardingPolicy {
 public:
  using ForwardingPolicy::ForwardingPolicy;

  StepRoster Plan(const StepSnapshot& snapshot,
                  const CacheMix& /*mix*/) const override {
    return FormRoster(snapshot);
  }
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_SIMULATION_TESTING_WHOLE_CHUNKS_H_
