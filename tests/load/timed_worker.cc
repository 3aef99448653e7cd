#include "tests/load/timed_worker.h"

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "common/version.h"
#include "glog/logging.h"
#include "tests/load/load_model.h"
#include "worker/offload/step_layout.h"
#include "worker/offload/step_limits.h"

namespace hybridserve {
namespace {

// A mini-batch may hold all sequences.
constexpr int32_t kStagingHalfSlots = 1 << 20;

WorkerInfo InfoOf(const TimedWorkerOptions& options) {
  // As its profile has it, a step is the crossing of the weights: the planner
  // finds that more sequences cost nothing.
  constexpr int64_t kLayerBytes = 1'000'000'000;
  return {.name = options.name,
          .model_name = options.model_name,
          .files = LoadModelFiles(),
          .numerics = {.weights_hash = std::string(64, 'a'),
                       .backend = "sim",
                       .isa = "none",
                       .build_id = BuildId()},
          .device = "none: steps take a set time",
          .pools = {{.tier = Tier::kHost,
                     .half_slots = options.half_slots,
                     .half_slot_bytes = int64_t{16} * 16 * 4}},
          .staging_half_slots = kStagingHalfSlots,
          .max_step_tokens = options.max_step_tokens,
          .max_logit_rows = options.max_sequences,
          .layer_bytes = kLayerBytes,
          .streamed_layer_bytes = kLayerBytes,
          .profile = {
              .link_bytes_per_second = static_cast<double>(kLayerBytes) /
                                       absl::ToDoubleSeconds(options.step_time),
              .copy_out_bytes_per_second = 1e12,
              .gemm_flops_per_second = 1e13}};
}

StepLimits LimitsOf(const WorkerInfo& info) {
  return {.max_step_tokens = info.max_step_tokens,
          .max_logit_rows = info.max_logit_rows,
          .staging_half_slots = info.staging_half_slots,
          .host_half_slots = info.pools.front().half_slots,
          .block_tokens = info.numerics.block_tokens,
          .vocab_size = kLoadVocabSize,
          .max_positions = kLoadMaxPositions};
}

}  // namespace

TimedWorker::TimedWorker(const TimedWorkerOptions& options)
    : options_(options), info_(InfoOf(options)), validator_(LimitsOf(info_)) {
  CHECK(options.step_time > absl::ZeroDuration());
}

TimedWorker::~TimedWorker() { Stop(); }

void TimedWorker::Start(ResultCallback on_result) {
  on_result_ = std::move(on_result);
  thread_ = std::thread([this] { Run(); });
}

void TimedWorker::Stop() {
  inbox_.Stop();
  if (thread_.joinable()) thread_.join();
}

void TimedWorker::Run() {
  while (true) {
    const PlanInbox::Command command = inbox_.Take();
    switch (command.kind) {
      case PlanInbox::Command::Kind::kStop:
        return;
      case PlanInbox::Command::Kind::kReset:
        validator_.table().Clear();
        sequences_.clear();
        break;
      case PlanInbox::Command::Kind::kPlan: {
        const absl::Time end = absl::Now() + options_.step_time;
        StepResult result = Execute(command.plan);
        absl::SleepFor(end - absl::Now());
        on_result_(std::move(result));
        break;
      }
      case PlanInbox::Command::Kind::kNone:
        break;
    }
  }
}

StepResult TimedWorker::Execute(const StepPlan& plan) {
  StepResult result = {.fence = plan.fence};
  const absl::StatusOr<StepLayout> layout = validator_.Accept(plan);
  if (!layout.ok()) {
    LOG(ERROR) << "plan refused: worker=" << options_.name
               << " step=" << plan.fence.step << " " << layout.status();
    result.status = layout.status();
    return result;
  }
  for (const SequenceId id : plan.released) sequences_.erase(id);
  result.sequences.reserve(plan.sequences.size());
  for (const StepSequence& step : plan.sequences) {
    result.sequences.push_back(Advance(step));
  }
  result.stats.wall = options_.step_time;
  result.stats.link_busy = options_.step_time;
  result.stats.weight_bytes = info_.streamed_layer_bytes;
  result.stats.mini_batches = static_cast<int32_t>(plan.mini_batches.size());
  return result;
}

SequenceResult TimedWorker::Advance(const StepSequence& step) {
  Sequence& sequence = sequences_[step.sequence];
  CHECK_EQ(sequence.chain.size(), step.num_cached);  // The validator's.
  SequenceResult result = {.sequence = step.sequence};
  const auto run = [&](int32_t token) {
    validator_.table().SetToken(
        step.sequence, static_cast<int32_t>(sequence.chain.size()), token);
    sequence.chain.Append(token);
  };
  if (step.new_tokens.empty()) run(sequence.sampled);
  for (const int32_t token : step.new_tokens) run(token);
  for (const int32_t target : step.score_targets) {
    if (target >= 0) result.scores.push_back({.log_prob = -1});
  }
  if (step.sample) {
    result.token = sequence.sampled = sequence.chain.Next();
    validator_.table().SetLastToken(step.sequence, result.token);
  }
  return result;
}

}  // namespace hybridserve
