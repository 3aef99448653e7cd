#ifndef HYBRIDSERVE_WORKER_TESTING_ENGINE_HARNESS_H_
#define HYBRIDSERVE_WORKER_TESTING_ENGINE_HARNESS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "worker/offload/engine.h"
#include "worker/offload/engine_resources.h"
#include "worker/testing/plan_driver.h"
#include "worker/testing/test_model.h"
#include "worker/worker_options.h"

namespace hybridserve {

struct HarnessOptions {
  DType dtype = DType::kFloat32;
  MemorySetting device_memory;  // Auto: one memory.
  int threads = 1;
  double link_bytes_per_second = 0;  // 0: not paced.
  int weight_buffers = 2;
  int block_tokens = 16;
  int64_t max_running = 8;
  int64_t recompute_tokens = 0;
  bool unpinned_cache = false;
  int64_t relay_bytes = 0;  // Of a relay, to have a smaller one; 0: as planned.
  // Another device than the cpu; it has memory of its own.
  std::function<absl::StatusOr<std::unique_ptr<Device>>()> make_device = {};
  PiecePolicy pieces = {.min_piece_bytes = 1024, .head_slice_bytes = 16384};
};

// An engine over a device with a test model's weights, and a driver to run
// requests on it.
class EngineHarness {
 public:
  static absl::StatusOr<std::unique_ptr<EngineHarness>> Create(
      const TestModel& model, const HarnessOptions& options);
  ~EngineHarness();

  // Runs requests in a fresh epoch. The driver stays for looking at.
  std::vector<DriverOutput> Run(const std::vector<DriverRequest>& requests,
                                DriverOptions options);
  PlanDriver& driver() { return *driver_; }
  Engine& engine() { return *engine_; }
  EngineResources& resources() { return *resources_; }

  // Keys, then values, of one cached position in one layer, as attention would
  // read them: copied out of a KV block, or rebuilt from an ACT row. `block` is
  // the one that holds `position`. Empty for a TOKENS block, which keeps none.
  // The engine is idle.
  std::vector<char> CachedKv(const BlockRef& block, int64_t layer,
                             int64_t position);

 private:
  EngineHarness() = default;

  SystemClock clock_;
  std::unique_ptr<EngineResources> resources_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<PlanDriver> driver_;
  uint64_t epoch_ = 1;
};

// `count` token ids of a vocabulary, from a seed.
std::vector<int32_t> RandomTokens(int64_t count, int64_t vocab, uint32_t seed);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_TESTING_ENGINE_HARNESS_H_
