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
  bool OnToken(const ProducedToken& /*token*/) override {
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
    const SimulatedLoad& load, const OnSimulatedStep& on_step) {
  return SimulateLoads(worker_options, scheduler, std::move(policy), {&load, 1},
                       on_step);
}

absl::StatusOr<SimulationResult> SimulateLoads(
    const SimulatedWorkerOptions& worker_options,
    const SchedulerOptions& scheduler, std::unique_ptr<Policy> policy,
    absl::Span<const SimulatedLoad> loads, const OnSimulatedStep& on_step) {
  SimClock clock;
  ASSIGN_OR_RETURN(const std::unique_ptr<SimulatedWorker> worker,
                   SimulatedWorker::Create(worker_options, clock));
  Tally tally;
  SchedulerCore core(scheduler, std::move(policy), clock);
  ASSIGN_OR_RETURN(
      const WorkerId id,
      core.AddWorker(worker->info(), std::make_unique<DirectLink>(*worker)));
  int64_t requests = 0;
  for (const SimulatedLoad& load : loads) {
    RETURN_IF_ERROR(SubmitAll(load, tally, core));
    requests += load.requests;
  }

  SimulationResult result = {.running = core.Snapshot().running};
  while (tally.ended < requests) {
    if (worker->outstanding() == 0) {
      return absl::InternalError("the scheduler sends no more plans");
    }
    StepResult step = worker->RunNext();
    const auto ran = static_cast<int64_t>(step.sequences.size());
    const int64_t before = tally.tokens;
    const StepStats stats = step.stats;
    const WorkerSnapshot seen = core.Snapshot().workers[0];
    core.OnResult(id, std::move(step));
    RETURN_IF_ERROR(tally.error);
    const SchedulerSnapshot snapshot = core.Snapshot();
    if (snapshot.workers.empty()) {
      return absl::InternalError("the worker was lost");
    }
    const WorkerSnapshot& now = snapshot.workers[0];
    if (ran == result.running && tally.tokens - before == ran &&
        now.totals.prompt_tokens == seen.totals.prompt_tokens &&
        tally.ended == 0) {
      ++result.decode_steps;
      result.predicted += seen.predicted_step.value_or(absl::ZeroDuration());
      result.decode += stats;
      NoteCache(now, result);
    }
    if (on_step != nullptr) on_step(stats, now);
  }
  result.total = clock.Now() - absl::UnixEpoch();
  result.generated_tokens = tally.tokens;
  return result;
}

}  // namespace hybridserve
