#include "client/top/top_view.h"

#include <algorithm>
#include <utility>

#include "client/enum_names.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

// Totals only grow; what a server that was started anew says is no rate.
double Grown(double before, double now) { return std::max(now - before, 0.0); }

int64_t Grown(uint64_t before, uint64_t now) {
  return now > before ? static_cast<int64_t>(now - before) : 0;
}

TopCount CountOf(uint64_t before, uint64_t now) {
  return {.total = static_cast<int64_t>(now), .more = Grown(before, now)};
}

TopPool PoolOf(const v1::Pool& pool) {
  return {.tier = TierName(pool.tier()),
          .half_slots = pool.half_slots(),
          .free = pool.free(),
          .cached = pool.cached(),
          .kv_blocks = pool.kv_blocks(),
          .act_blocks = pool.act_blocks()};
}

const v1::WorkerTotals& TotalsOf(uint64_t id, const v1::Load& load) {
  for (const v1::Worker& worker : load.workers()) {
    if (worker.id() == id) return worker.totals();
  }
  return v1::WorkerTotals::default_instance();
}

TopWorker WorkerOf(const v1::WorkerTotals& before, const v1::Worker& worker,
                   double elapsed_s) {
  const v1::WorkerTotals& now = worker.totals();
  const auto rate = [&](uint64_t from, uint64_t to) {
    return static_cast<double>(Grown(from, to)) / elapsed_s;
  };
  const auto share = [&](double from, double to) {
    return std::min(Grown(from, to) / elapsed_s, 1.0);
  };
  TopWorker view = {
      .id = worker.id(),
      .name = worker.name(),
      .state = WorkerStateName(worker.state()),
      .device = worker.device(),
      .model = worker.model(),
      .running = worker.running(),
      .link_busy = share(before.link_busy_seconds(), now.link_busy_seconds()),
      .copy_out_busy =
          share(before.copy_out_busy_seconds(), now.copy_out_busy_seconds()),
      .compute_busy =
          share(before.compute_busy_seconds(), now.compute_busy_seconds()),
      .link = {.weight = rate(before.weight_bytes(), now.weight_bytes()),
               .kv = rate(before.kv_bytes(), now.kv_bytes()),
               .act = rate(before.act_bytes(), now.act_bytes()),
               .other = rate(before.other_in_bytes(), now.other_in_bytes()),
               .write_back =
                   rate(before.write_back_bytes(), now.write_back_bytes())},
      .prompt_tokens_per_s =
          rate(before.processed_tokens() - before.sampled_tokens(),
               now.processed_tokens() - now.sampled_tokens()),
      .generated_tokens_per_s =
          rate(before.sampled_tokens(), now.sampled_tokens()),
      .act_ratio = worker.act_ratio(),
      .preemptions = static_cast<int64_t>(now.preemptions())};
  if (const int64_t steps = Grown(before.steps(), now.steps()); steps > 0) {
    view.step_s = Grown(before.wall_seconds(), now.wall_seconds()) /
                  static_cast<double>(steps);
  }
  if (worker.has_predicted_step_seconds()) {
    view.predicted_step_s = worker.predicted_step_seconds();
  }
  for (const v1::Pool& pool : worker.pools()) {
    view.pools.push_back(PoolOf(pool));
  }
  return view;
}

}  // namespace

TopView MakeTopView(const v1::Load& before, const v1::Load& now,
                    const v1::GetServerInfoResponse& info,
                    absl::Duration elapsed) {
  CHECK(elapsed > absl::ZeroDuration()) << elapsed;
  const v1::Requests& then = before.requests();
  const v1::Requests& requests = now.requests();
  TopView view = {
      .elapsed_s = absl::ToDoubleSeconds(elapsed),
      .running = now.queue().running(),
      .waiting = now.queue().waiting(),
      .waiting_tokens = static_cast<int64_t>(now.queue().waiting_tokens()),
      .max_requests = now.queue().max_requests(),
      .max_tokens = static_cast<int64_t>(now.queue().max_tokens()),
      .finished = CountOf(then.finished(), requests.finished()),
      .cancelled = CountOf(then.cancelled(), requests.cancelled()),
      .failed = CountOf(then.failed(), requests.failed()),
      .rejected = CountOf(then.rejected(), requests.rejected()),
      .preemptions = CountOf(then.preemptions(), requests.preemptions()),
      .replays = CountOf(then.replays(), requests.replays())};
  for (const v1::Worker& worker : now.workers()) {
    TopWorker added =
        WorkerOf(TotalsOf(worker.id(), before), worker, view.elapsed_s);
    view.prompt_tokens_per_s += added.prompt_tokens_per_s;
    view.generated_tokens_per_s += added.generated_tokens_per_s;
    view.workers.push_back(std::move(added));
  }
  for (const v1::LoadingWorker& worker : info.loading_workers()) {
    view.loading.push_back(
        {.name = worker.name(),
         .model = worker.model(),
         .stage = worker.stage(),
         .loaded_bytes = static_cast<int64_t>(worker.loaded_bytes()),
         .total_bytes = static_cast<int64_t>(worker.total_bytes())});
  }
  return view;
}

}  // namespace hybridserve
