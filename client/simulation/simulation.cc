#include "client/simulation/simulation.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/status_macros.h"
#include "common/worker_link.h"
#include "glog/logging.h"
#include "scheduler/core/request.h"

namespace hybridserve {
namespace {

// Plans go straight to the worker, which runs them when told to.
class DirectLink final : public WorkerLink {
 public:
  explicit DirectLink(SimulatedWorker& worker) : worker_(worker) {}
  void Send(StepPlan plan) override { worker_.Submit(std::move(plan)); }

 private:
  SimulatedWorker& worker_;
};

// What became of all requests.
struct Tally {
  int64_t tokens = 0;
  int64_t ended = 0;
  absl::Status error;
};

class TallyingObserver final : public RequestObserver {
 public:
  explicit TallyingObserver(Tally& tally) : tally_(tally) {}
  bool OnToken(int32_t /*token*/, float /*log_prob*/) override {
    ++tally_.tokens;
    return true;
  }
  void OnFinished(FinishReason /*reason*/, const Usage& /*usage*/) override {
    ++tally_.ended;
  }
  void OnError(const absl::Status& status) override {
    ++tally_.ended;
    tally_.error.Update(status);
  }

 private:
  Tally& tally_;
};

void Add(const StepStats& stats, StepStats& sum) {
  sum.wall += stats.wall;
  sum.link_busy += stats.link_busy;
  sum.copy_out_busy += stats.copy_out_busy;
  sum.compute_busy += stats.compute_busy;
  sum.weight_bytes += stats.weight_bytes;
  sum.kv_bytes += stats.kv_bytes;
  sum.act_bytes += stats.act_bytes;
  sum.write_back_bytes += stats.write_back_bytes;
  sum.rebuilt_tokens += stats.rebuilt_tokens;
  sum.mini_batches += stats.mini_batches;
  for (const WorkKind kind : kAllWorkKinds) sum.work[kind] += stats.work[kind];
}

void NoteCache(const WorkerSnapshot& worker, SimulationResult& result) {
  result.kv_blocks = result.act_blocks = 0;
  for (const PoolSnapshot& pool : worker.pools) {
    result.kv_blocks += pool.kv_blocks;
    result.act_blocks += pool.act_blocks;
  }
  result.mix_reason = worker.mix_reason;
}

absl::Status SubmitAll(const SimulatedLoad& load, Tally& tally,
                       SchedulerCore& core) {
  for (int64_t i = 0; i < load.requests; ++i) {
    GenerationRequest request;
    request.prompt.assign(load.prompt_tokens, 7);
    request.max_tokens = load.output_tokens;
    request.ignore_eos = true;
    request.sampling.seed = i;
    RETURN_IF_ERROR(core.Submit(std::move(request),
                                std::make_unique<TallyingObserver>(tally))
                        .status());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SimulationResult> Simulate(
    const SimulatedWorkerOptions& worker_options,
    const SchedulerOptions& scheduler, std::unique_ptr<Policy> policy,
    const SimulatedLoad& load) {
  SimClock clock;
  ASSIGN_OR_RETURN(const std::unique_ptr<SimulatedWorker> worker,
                   SimulatedWorker::Create(worker_options, clock));
  Tally tally;
  SchedulerCore core(scheduler, std::move(policy), clock);
  ASSIGN_OR_RETURN(
      const WorkerId id,
      core.AddWorker(worker->info(), std::make_unique<DirectLink>(*worker)));
  RETURN_IF_ERROR(SubmitAll(load, tally, core));

  SimulationResult result;
  while (tally.ended < load.requests) {
    if (worker->outstanding() == 0) {
      return absl::InternalError("the scheduler sends no more plans");
    }
    StepResult step = worker->RunNext();
    const int64_t before = tally.tokens;
    const int64_t ended_before = tally.ended;
    const bool sampled_all =
        static_cast<int64_t>(step.sequences.size()) == load.requests;
    const StepStats stats = step.stats;
    core.OnResult(id, std::move(step));
    RETURN_IF_ERROR(tally.error);
    if (sampled_all && tally.tokens - before == load.requests &&
        ended_before == 0 && tally.ended == 0) {
      ++result.decode_steps;
      Add(stats, result.decode);
      NoteCache(core.Snapshot().workers[0], result);
    }
  }
  result.total = clock.Now() - absl::UnixEpoch();
  result.generated_tokens = tally.tokens;
  return result;
}

}  // namespace hybridserve
