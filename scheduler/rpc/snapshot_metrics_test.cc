#include "scheduler/rpc/snapshot_metrics.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"

namespace hybridserve {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

v1::Load LoadOfOneWorker() {
  v1::Load load;
  load.mutable_queue()->set_running(2);
  load.mutable_queue()->set_waiting(3);
  load.mutable_queue()->set_max_requests(1024);
  load.mutable_requests()->set_replays(4);
  v1::Worker& worker = *load.add_workers();
  worker.set_name("w");
  worker.set_model("m");
  worker.set_state(v1::WORKER_STATE_READY);
  worker.mutable_numerics()->set_block_tokens(16);
  v1::Pool& device = *worker.add_pools();
  device.set_tier(v1::TIER_DEVICE);
  device.set_half_slots(20);
  device.set_free(20);
  v1::Pool& host = *worker.add_pools();
  host.set_tier(v1::TIER_HOST);
  host.set_half_slots(100);
  host.set_free(25);
  host.set_kv_blocks(30);
  host.set_act_blocks(15);
  host.set_bytes(1000);
  v1::WorkerTotals& totals = *worker.mutable_totals();
  totals.set_processed_tokens(50);
  totals.set_sampled_tokens(20);
  totals.set_kv_bytes(777);
  const auto add_work = [&](v1::WorkKind kind, double seconds) {
    v1::WorkTotals& work = *totals.add_work();
    work.set_kind(kind);
    work.set_busy_seconds(seconds);
  };
  add_work(v1::WORK_KIND_WEIGHTS, 5);
  add_work(v1::WORK_KIND_REBUILD, 3);
  add_work(v1::WORK_KIND_RESULTS, 2);
  add_work(v1::WORK_KIND_OTHER, 9);
  return load;
}

std::string PageOf(const v1::Load& load) {
  return prometheus::TextSerializer().Serialize(
      SnapshotMetrics([&] { return load; }).Collect());
}

// A line of the page, of the one worker; `labels` begin with a comma.
std::string Series(const std::string& name, const std::string& labels,
                   const std::string& value) {
  return "\nhybridserve_" + name + "{model_name=\"m\",worker=\"w\"" + labels +
         "} " + value + "\n";
}

TEST(SnapshotMetricsTest, TellsOfTheQueue) {
  const std::string page = PageOf(LoadOfOneWorker());
  EXPECT_THAT(page, HasSubstr("\nhybridserve_requests_running 2\n"));
  EXPECT_THAT(page, HasSubstr("\nhybridserve_requests_waiting 3\n"));
  EXPECT_THAT(page, HasSubstr("\nhybridserve_max_queue_requests 1024\n"));
  EXPECT_THAT(page, HasSubstr("\nhybridserve_request_replays_total 4\n"));
}

TEST(SnapshotMetricsTest, TellsOfTheCache) {
  const std::string page = PageOf(LoadOfOneWorker());
  EXPECT_THAT(page, HasSubstr(Series("cache_blocks",
                                     ",kind=\"kv\",tier=\"host\"", "30")));
  EXPECT_THAT(page, HasSubstr(Series("cache_blocks",
                                     ",kind=\"act\",tier=\"device\"", "0")));
  EXPECT_THAT(page, HasSubstr(Series("kv_cache_usage_ratio", "", "0.625")));
  EXPECT_THAT(page,
              HasSubstr(Series("host_pool_bytes",
                               ",state=\"used\",pinned=\"true\"", "750")));
  EXPECT_THAT(page,
              HasSubstr(Series("host_pool_bytes",
                               ",state=\"free\",pinned=\"true\"", "250")));
  EXPECT_THAT(page, HasSubstr(Series("cache_config_info",
                                     ",block_size=\"16\",num_gpu_blocks=\"10\","
                                     "num_host_blocks=\"50\"",
                                     "1")));
  v1::Load load = LoadOfOneWorker();
  load.mutable_workers(0)->set_unpinned_cache(true);
  EXPECT_THAT(PageOf(load), HasSubstr("pinned=\"false\""));
}

TEST(SnapshotMetricsTest, TellsOfTheCellsCache) {
  v1::Load load = LoadOfOneWorker();
  EXPECT_THAT(PageOf(load),
              HasSubstr("\nhybridserve_cell_kv_cache_usage_ratio 0.625\n"));
  // Another one's cache, of the size of all of the first one's, and free.
  v1::Worker& other = *load.add_workers();
  for (const v1::Pool& pool : load.workers(0).pools()) {
    v1::Pool& free = *other.add_pools();
    free.set_half_slots(pool.half_slots());
    free.set_free(pool.half_slots());
  }
  EXPECT_THAT(PageOf(load),
              HasSubstr("\nhybridserve_cell_kv_cache_usage_ratio 0.3125\n"));
  load.clear_workers();
  EXPECT_THAT(PageOf(load),
              HasSubstr("\nhybridserve_cell_kv_cache_usage_ratio 1\n"));
}

TEST(SnapshotMetricsTest, TellsOfTheSteps) {
  const std::string page = PageOf(LoadOfOneWorker());
  EXPECT_THAT(page, HasSubstr(Series("worker_up", "", "1")));
  EXPECT_THAT(page,
              HasSubstr(Series("step_tokens_total", ",kind=\"prompt\"", "30")));
  EXPECT_THAT(
      page, HasSubstr(Series("step_tokens_total", ",kind=\"sampled\"", "20")));
  EXPECT_THAT(page, HasSubstr(Series("offload_bytes_total",
                                     ",dir=\"in\",kind=\"kv\"", "777")));
  EXPECT_THAT(page, HasSubstr(Series("offload_seconds_total",
                                     ",dir=\"in\",kind=\"weight\"", "5")));
  EXPECT_THAT(page, HasSubstr(Series("offload_seconds_total",
                                     ",dir=\"out\",kind=\"results\"", "2")));
  EXPECT_THAT(page, HasSubstr(Series("compute_seconds_total",
                                     ",kind=\"rebuild\"", "3")));
  EXPECT_THAT(page, HasSubstr(Series("kv_recompute_seconds_total", "", "3")));
  EXPECT_THAT(page, Not(HasSubstr("} 9\n")));  // Nobody knows where it ran.
  EXPECT_THAT(page, Not(HasSubstr("predicted_step_seconds{")));
}

TEST(SnapshotMetricsTest, AStoppedServerHasNone) {
  EXPECT_THAT(SnapshotMetrics([] { return std::nullopt; }).Collect(),
              IsEmpty());
}

}  // namespace
}  // namespace hybridserve
