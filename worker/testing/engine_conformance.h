#ifndef HYBRIDSERVE_WORKER_TESTING_ENGINE_CONFORMANCE_H_
#define HYBRIDSERVE_WORKER_TESTING_ENGINE_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/dtype.h"
#include "common/model_config.h"
#include "gtest/gtest.h"
#include "kernels/device/device.h"
#include "worker/testing/engine_harness.h"
#include "worker/testing/plan_driver.h"

namespace hybridserve {

// A device that the suite in engine_conformance.cc runs the engine on: link
// that and instantiate EngineConformance.
struct EngineUnderTest {
  std::string name;
  Architecture architecture = Architecture::kOpt;
  // Null: the cpu, with memory of its own.
  std::function<absl::StatusOr<std::unique_ptr<Device>>(bool batch_invariant)>
      make_device;
  // That it computes in, beside float32.
  std::vector<DType> half_dtypes;
};

inline void PrintTo(const EngineUnderTest& engine, std::ostream* os) {
  *os << engine.name;
}

// Whole requests, streamed through little memory and held in much, by several
// policies: the tokens that the cpu gives in one memory, and the same bits
// whatever the policy.
class EngineConformance : public ::testing::TestWithParam<EngineUnderTest> {
 protected:
  // Of requests that are greedy, sampled, penalised and scored.
  std::vector<DriverOutput> Run(const HarnessOptions& options,
                                const DriverOptions& driver) const;
  HarnessOptions OnDevice(MemorySetting memory, bool batch_invariant) const;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_TESTING_ENGINE_CONFORMANCE_H_
