#include "client/top/top_view.h"

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::DoubleEq;
using ::testing::Optional;
using ::testing::SizeIs;

// Worker 7 after so many steps, each of 200 ms with 10 sampled tokens and 30 of
// prompts.
v1::Load LoadAfter(int64_t steps) {
  v1::Load load;
  load.mutable_queue()->set_running(2);
  load.mutable_queue()->set_waiting(5);
  load.mutable_queue()->set_waiting_tokens(900);
  load.mutable_queue()->set_max_requests(1024);
  load.mutable_queue()->set_max_tokens(4096);
  load.mutable_requests()->set_finished(100 + steps);
  load.mutable_requests()->set_replays(3);
  v1::Worker& worker = *load.add_workers();
  worker.set_id(7);
  worker.set_name("host/1");
  worker.set_model("m");
  worker.set_device("cpu");
  worker.set_state(v1::WORKER_STATE_READY);
  worker.set_running(2);
  v1::WorkerTotals& totals = *worker.mutable_totals();
  totals.set_steps(steps);
  totals.set_wall_seconds(0.2 * static_cast<double>(steps));
  totals.set_link_busy_seconds(0.15 * static_cast<double>(steps));
  totals.set_compute_busy_seconds(0.1 * static_cast<double>(steps));
  totals.set_weight_bytes(1000 * steps);
  totals.set_act_bytes(500 * steps);
  totals.set_write_back_bytes(100 * steps);
  totals.set_processed_tokens(40 * steps);
  totals.set_sampled_tokens(10 * steps);
  totals.set_preemptions(4);
  v1::Pool& pool = *worker.add_pools();
  pool.set_tier(v1::TIER_HOST);
  pool.set_half_slots(100);
  pool.set_free(40);
  pool.set_kv_blocks(20);
  pool.set_act_blocks(20);
  return load;
}

TEST(TopViewTest, ShowsWhatIsNow) {
  const TopView view =
      MakeTopView(LoadAfter(1), LoadAfter(5), {}, absl::Seconds(2));
  EXPECT_EQ(view.running, 2);
  EXPECT_EQ(view.waiting, 5);
  EXPECT_EQ(view.waiting_tokens, 900);
  EXPECT_EQ(view.max_requests, 1024);
  EXPECT_EQ(view.max_tokens, 4096);
  EXPECT_EQ(view.replays.total, 3);
  ASSERT_THAT(view.workers, SizeIs(1));
  const TopWorker& worker = view.workers[0];
  EXPECT_EQ(worker.id, 7);
  EXPECT_EQ(worker.state, "ready");
  EXPECT_EQ(worker.preemptions, 4);
  ASSERT_THAT(worker.pools, SizeIs(1));
  EXPECT_EQ(worker.pools[0].tier, "host");
  EXPECT_EQ(worker.pools[0].act_blocks, 20);
}

TEST(TopViewTest, RatesAreDifferencesOfTotals) {
  const TopView view =
      MakeTopView(LoadAfter(10), LoadAfter(14), {}, absl::Seconds(2));
  EXPECT_EQ(view.elapsed_s, 2);
  EXPECT_EQ(view.finished.total, 114);
  EXPECT_EQ(view.finished.more, 4);
  EXPECT_EQ(view.replays.more, 0);
  const TopWorker& worker = view.workers[0];
  EXPECT_THAT(worker.link_busy, DoubleEq(0.3));
  EXPECT_THAT(worker.compute_busy, DoubleEq(0.2));
  EXPECT_EQ(worker.copy_out_busy, 0);
  EXPECT_EQ(worker.link.weight, 2000);
  EXPECT_EQ(worker.link.act, 1000);
  EXPECT_EQ(worker.link.in(), 3000);
  EXPECT_EQ(worker.link.write_back, 200);
  EXPECT_EQ(worker.prompt_tokens_per_s, 60);
  EXPECT_EQ(worker.generated_tokens_per_s, 20);
  EXPECT_THAT(worker.step_s, Optional(DoubleEq(0.2)));
  EXPECT_EQ(view.prompt_tokens_per_s, 60);
  EXPECT_EQ(view.generated_tokens_per_s, 20);
}

TEST(TopViewTest, NothingWentOn) {
  const TopView view =
      MakeTopView(LoadAfter(10), LoadAfter(10), {}, absl::Seconds(1));
  EXPECT_EQ(view.workers[0].step_s, std::nullopt);
  EXPECT_EQ(view.workers[0].link_busy, 0);
  EXPECT_EQ(view.workers[0].generated_tokens_per_s, 0);
}

TEST(TopViewTest, ShowsWhoLoads) {
  v1::GetServerInfoResponse info;
  v1::LoadingWorker& loading = *info.add_loading_workers();
  loading.set_name("host/2");
  loading.set_model("m");
  loading.set_stage("loading weights");
  loading.set_loaded_bytes(3);
  loading.set_total_bytes(12);
  const TopView view =
      MakeTopView(LoadAfter(0), LoadAfter(1), info, absl::Seconds(1));
  ASSERT_THAT(view.loading, SizeIs(1));
  EXPECT_EQ(view.loading[0].name, "host/2");
  EXPECT_EQ(view.loading[0].model, "m");
  EXPECT_EQ(view.loading[0].stage, "loading weights");
  EXPECT_EQ(view.loading[0].loaded_bytes, 3);
  EXPECT_EQ(view.loading[0].total_bytes, 12);
}

TEST(TopViewTest, ANewWorkerBeganWithNothing) {
  v1::Load before = LoadAfter(0);
  before.mutable_workers(0)->set_id(6);
  before.mutable_workers(0)->mutable_totals()->set_steps(1000);
  const TopView view = MakeTopView(before, LoadAfter(4), {}, absl::Seconds(1));
  EXPECT_THAT(view.workers[0].step_s, Optional(DoubleEq(0.2)));
  EXPECT_EQ(view.workers[0].generated_tokens_per_s, 40);
}

TEST(TopViewTest, SharesAndRatesStayInBounds) {
  // Busier than the time between: a step that began earlier ended.
  const TopView busy =
      MakeTopView(LoadAfter(0), LoadAfter(10), {}, absl::Milliseconds(500));
  EXPECT_EQ(busy.workers[0].link_busy, 1);
  const TopView fewer =
      MakeTopView(LoadAfter(10), LoadAfter(0), {}, absl::Seconds(1));
  EXPECT_EQ(fewer.finished.more, 0);
  EXPECT_EQ(fewer.workers[0].link_busy, 0);
  EXPECT_EQ(fewer.workers[0].link.in(), 0);
}

}  // namespace
}  // namespace hybridserve
