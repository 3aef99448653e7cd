#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "client/simulation/simulation.h"
#include "client/simulation/testing/opt_worker.h"
#include "gtest/gtest.h"
#include "scheduler/policy/policy.h"
#include "scheduler/policy/testing/forwarding_policy.h"

// What turning ACT into KV is worth, in full runs of scheduler and engine
// without noise.

namespace hybridserve {
namespace {

// The planner's own mixes, with blocks that keep their kinds or not.
class MaybeConverts final : public ForwardingPolicy {
 public:
  explicit MaybeConverts(bool converts)
      : ForwardingPolicy(ParsePolicy("hybrid", std::nullopt).value()),
        converts_(converts) {}

  bool converts() const override { return converts_; }

 private:
  const bool converts_;
};

SimulatedWorkerOptions Worker(double flops_per_second = 60e12) {
  SimulatedWorkerOptions worker =
      OptWorker({.flops_per_second = flops_per_second});
  worker.device_memory = MemorySetting::Bytes(int64_t{5} << 30);
  return worker;
}

struct Outcome {
  absl::Duration total;
  int64_t tokens = 0;
  int64_t converted = 0;
};

Outcome RunLoads(bool converts, const SimulatedWorkerOptions& worker,
                 const std::vector<SimulatedLoad>& loads) {
  Outcome outcome;
  const auto result = SimulateLoads(
      worker, {.max_running = 64}, std::make_unique<MaybeConverts>(converts),
      loads, [&](const StepStats&, const WorkerSnapshot& snapshot) {
        outcome.converted = snapshot.totals.converted_blocks;
      });
  EXPECT_TRUE(result.ok()) << result.status();
  outcome.total = result->total;
  outcome.tokens = result->generated_tokens;
  return outcome;
}

// How many times as fast a load is with conversions.
double SpeedUp(const SimulatedWorkerOptions& worker,
               const std::vector<SimulatedLoad>& loads) {
  const Outcome keeps = RunLoads(false, worker, loads);
  const Outcome converts = RunLoads(true, worker, loads);
  EXPECT_EQ(keeps.converted, 0);
  EXPECT_EQ(converts.tokens, keeps.tokens);
  return absl::FDivDuration(keeps.total, converts.total);
}

// Most end soon, some go on for long: what the mix for all of them made ACT is
// more than these want late in their lives.
TEST(ConversionTest, PaysWhenTheBatchShrinksToLongOnes) {
  const std::vector<SimulatedLoad> loads = {
      {.requests = 24, .prompt_tokens = 512, .output_tokens = 60},
      {.requests = 16, .prompt_tokens = 512, .output_tokens = 1400}};
  EXPECT_GT(RunLoads(true, Worker(), loads).converted, 0);
  EXPECT_GT(SpeedUp(Worker(), loads), 1.03);
}

TEST(ConversionTest, PaysOnFasterAndSlowerDevices) {
  const std::vector<SimulatedLoad> loads = {
      {.requests = 16, .prompt_tokens = 256, .output_tokens = 1700},
      {.requests = 40, .prompt_tokens = 1024, .output_tokens = 100}};
  for (const double flops : {30e12, 120e12}) {
    SCOPED_TRACE(flops);
    EXPECT_GT(SpeedUp(Worker(flops), loads), 1.03);
  }
}

TEST(ConversionTest, PaysAsContextsGrow) {
  EXPECT_GT(
      SpeedUp(Worker(),
              {{.requests = 32, .prompt_tokens = 128, .output_tokens = 1500}}),
      1.05);
}

// The last of a queue begin as the others end: what compute waits for at that
// moment they will want to keep.
TEST(ConversionTest, DoesNoHarmToThoseThatBeginAsOthersEnd) {
  SimulatedWorkerOptions worker = Worker();
  worker.host_memory = MemorySetting::Bytes(int64_t{3} << 30);
  EXPECT_GE(
      SpeedUp(worker,
              {{.requests = 96, .prompt_tokens = 256, .output_tokens = 600}}),
      0.999);
}

TEST(ConversionTest, DoesNoHarmToAMixedStream) {
  EXPECT_GE(
      SpeedUp(Worker(),
              {{.requests = 20, .prompt_tokens = 512, .output_tokens = 200},
               {.requests = 20, .prompt_tokens = 300, .output_tokens = 400},
               {.requests = 20, .prompt_tokens = 1024, .output_tokens = 60},
               {.requests = 20, .prompt_tokens = 512, .output_tokens = 500}}),
      0.999);
}

}  // namespace
}  // namespace hybridserve
