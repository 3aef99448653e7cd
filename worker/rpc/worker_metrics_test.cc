#include "worker/rpc/worker_metrics.h"

#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"

namespace hybridserve {
namespace {

using ::testing::HasSubstr;

class WorkerMetricsTest : public testing::Test {
 protected:
  void ExpectLine(const std::string& line) const {
    const std::string page =
        prometheus::TextSerializer().Serialize(metrics_.registry()->Collect());
    EXPECT_THAT(page, HasSubstr("\nhybridserve_" + line + "\n"));
  }

  WorkerMetrics metrics_{"m"};
};

TEST_F(WorkerMetricsTest, TellsHowFarItIs) {
  metrics_.SetLoadRatio(0.25);
  ExpectLine("model_load_ratio{model_name=\"m\"} 0.25");
  ExpectLine("worker_up{model_name=\"m\"} 0");
  metrics_.SetUp(true);
  ExpectLine("worker_up{model_name=\"m\"} 1");
}

TEST_F(WorkerMetricsTest, SumsUpSteps) {
  StepResult step = {.stats = {.wall = absl::Seconds(4),
                               .link_busy = absl::Seconds(3),
                               .compute_busy = absl::Seconds(1),
                               .act_bytes = 70,
                               .write_back_bytes = 5,
                               .rebuilt_tokens = 16}};
  step.stats.work[WorkKind::kRebuild].busy = absl::Milliseconds(500);
  step.stats.work[WorkKind::kWeights].busy = absl::Seconds(2);
  metrics_.CountStep(step);
  metrics_.CountStep(step);
  ExpectLine("steps_total{model_name=\"m\"} 2");
  ExpectLine("step_seconds_total{model_name=\"m\"} 8");
  ExpectLine("plans_refused_total{model_name=\"m\"} 0");
  ExpectLine("rebuilt_tokens_total{model_name=\"m\"} 32");
  ExpectLine("kv_recompute_seconds_total{model_name=\"m\"} 1");
  ExpectLine("compute_seconds_total{kind=\"rebuild\",model_name=\"m\"} 1");
  ExpectLine(
      "offload_seconds_total{dir=\"in\",kind=\"weight\",model_name=\"m\"} 4");
  ExpectLine(
      "offload_bytes_total{dir=\"in\",kind=\"act\",model_name=\"m\"} 140");
  ExpectLine("offload_busy_seconds_total{model_name=\"m\",stream=\"link\"} 6");
  ExpectLine("stall_seconds_total{model_name=\"m\",stream=\"link\"} 2");
  ExpectLine("stall_seconds_total{model_name=\"m\",stream=\"compute\"} 6");
}

TEST_F(WorkerMetricsTest, ACounterNeverGoesBack) {
  // More busy than the step was long: a copy that ran before it.
  metrics_.CountStep(
      {.stats = {.wall = absl::Seconds(1), .link_busy = absl::Seconds(3)}});
  ExpectLine("stall_seconds_total{model_name=\"m\",stream=\"link\"} 0");
}

TEST_F(WorkerMetricsTest, CountsRefusedPlans) {
  metrics_.CountStep({.status = absl::InternalError("broken")});
  ExpectLine("plans_refused_total{model_name=\"m\"} 1");
}

TEST_F(WorkerMetricsTest, TellsWhatItMeasuredAndHolds) {
  metrics_.SetProfile(
      {.link_bytes_per_second = std::numeric_limits<double>::infinity(),
       .copy_out_bytes_per_second = 5e8});
  ExpectLine(
      "link_bandwidth_bytes_per_second{dir=\"in\",model_name=\"m\"} +Inf");
  ExpectLine(
      "link_bandwidth_bytes_per_second{dir=\"out\",model_name=\"m\"} "
      "500000000");
  MemoryPlan plan;
  plan.device = {{"weight ring", 100}};
  plan.host = {{"weights", 1000}, {"host cache", 300}};
  metrics_.SetMemory(plan, /*unpinned_bytes=*/700);
  ExpectLine(
      "memory_plan_bytes{model_name=\"m\",tier=\"device\","
      "use=\"weight_ring\"} 100");
  ExpectLine(
      "memory_plan_bytes{model_name=\"m\",tier=\"host\",use=\"host_cache\"} "
      "300");
  ExpectLine("unpinned_host_bytes{model_name=\"m\"} 700");
}

}  // namespace
}  // namespace hybridserve
