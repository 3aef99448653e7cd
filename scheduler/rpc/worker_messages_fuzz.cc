#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/step_plan.h"
#include "common/step_result.h"
#include "common/wire/step_plan_wire.h"
#include "common/wire/step_result_wire.h"
#include "common/wire/worker_info_wire.h"
#include "common/worker_info.h"
#include "common/worker_link.h"
#include "glog/logging.h"
#include "google/protobuf/io/coded_stream.h"
#include "hybridserve/worker/v1/worker_link_service.pb.h"
#include "scheduler/core/request.h"
#include "scheduler/core/scheduler_core.h"
#include "scheduler/policy/policy.h"

namespace hybridserve {
namespace {

namespace pb = worker::v1;

// A worker that claims a larger cache costs the scheduler a bit a half-slot.
constexpr int32_t kMaxHalfSlots = 1 << 20;
constexpr char kConfig[] = R"({
  "model_type": "opt", "vocab_size": 100, "hidden_size": 16,
  "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 32,
  "max_position_embeddings": 512, "eos_token_id": 2})";
constexpr const char* kPolicies[] = {"hybrid", "kv", "act", "recompute",
                                     "flexgen"};

class StoppedClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::UnixEpoch(); }
};

// Answers what is right, once what the fuzzer says is through.
class PlanKeeper final : public WorkerLink {
 public:
  explicit PlanKeeper(std::vector<StepPlan>& plans) : plans_(plans) {}
  void Send(StepPlan plan) override { plans_.push_back(std::move(plan)); }

 private:
  std::vector<StepPlan>& plans_;
};

class DeafObserver final : public RequestObserver {
 public:
  bool OnToken(const ProducedToken& token) override {
    CHECK(token.id >= 0 && token.id < 100) << token.id;
    return true;
  }
  void OnFinished(FinishReason /*reason*/, const Usage& /*usage*/) override {}
  void OnError(const absl::Status& status) override { CHECK(!status.ok()); }
};

StepResult RightAnswer(const StepPlan& plan) {
  StepResult result = {.fence = plan.fence};
  for (const StepSequence& step : plan.sequences) {
    SequenceResult sequence = {.sequence = step.sequence};
    if (step.sample) sequence.token = 5;
    for (const int32_t target : step.score_targets) {
      if (target >= 0) sequence.scores.push_back({.log_prob = -1});
    }
    result.sequences.push_back(std::move(sequence));
  }
  return result;
}

// A scheduler that hears one worker.
class World {
 public:
  explicit World(uint8_t choice)
      : core_({.term = 1, .max_running = 1 + choice / 8 % 16},
              ParsePolicy(kPolicies[choice % 5], std::nullopt).value(),
              clock_) {}

  void Hear(const pb::ConnectRequest& message) {
    if (message.has_register_() && !worker_.has_value()) {
      HearRegister(message);
    } else if (message.has_step_result() && worker_.has_value()) {
      HearResult(message);
    }
    core_.CheckInvariants();
  }

  // The rest of the steps, as a good worker runs them.
  void Finish() {
    for (size_t i = answered_; i < plans_.size() && i < answered_ + 64; ++i) {
      core_.OnResult(*worker_, RightAnswer(plans_[i]));
      core_.CheckInvariants();
    }
  }

 private:
  void HearRegister(const pb::ConnectRequest& message) {
    pb::Hello hello;
    hello.set_wire_revision(kWireRevision);
    hello.set_worker_name("w");
    hello.set_model_name("m");
    absl::StatusOr<WorkerInfo> info =
        WorkerInfoFromWire(hello, message.fence().epoch(),
                           {.config_json = kConfig}, message.register_());
    if (!info.ok()) return;
    for (PoolInfo& pool : info->pools) {
      pool.half_slots = std::min(pool.half_slots, kMaxHalfSlots);
    }
    auto worker = core_.AddWorker(*info, std::make_unique<PlanKeeper>(plans_));
    if (!worker.ok()) return;
    worker_ = *worker;
    for (int64_t i = 0; i < 6; ++i) Submit(1 + 40 * i, 1 + 7 * i, i == 3);
  }

  void Submit(int64_t prompt, int64_t max_tokens, bool scores) {
    GenerationRequest request = {.model = "m",
                                 .prompt = std::vector<int32_t>(prompt, 7),
                                 .max_tokens = max_tokens};
    if (scores) request.score_targets.assign(prompt, 3);
    const auto key =
        core_.Submit(std::move(request), std::make_unique<DeafObserver>());
    CHECK(key.ok() || absl::IsInvalidArgument(key.status())) << key.status();
  }

  void HearResult(const pb::ConnectRequest& message) {
    absl::StatusOr<StepResult> result = StepResultFromWire(
        FenceFromWire(message.fence()), message.step_result());
    if (!result.ok()) return;
    // Nobody guesses the sequences: none stands for all that are asked for.
    if (result->status.ok() && result->sequences.empty() &&
        answered_ < plans_.size()) {
      StepStats stats = result->stats;
      *result = RightAnswer(plans_[answered_++]);
      result->stats = stats;
    }
    core_.OnResult(*worker_, *std::move(result));
  }

  const StoppedClock clock_;
  std::vector<StepPlan> plans_;
  SchedulerCore core_;
  std::optional<WorkerId> worker_;
  size_t answered_ = 0;
};

}  // namespace
}  // namespace hybridserve

// The input is a choice of the policy and what a worker sends over one
// connection: ConnectRequests, each after its size as a varint. Whatever the
// worker claims of itself and of its steps, the scheduler goes on.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  FLAGS_minloglevel = google::GLOG_FATAL;
  hybridserve::World world(data[0]);
  google::protobuf::io::CodedInputStream input(data + 1,
                                               static_cast<int>(size) - 1);
  uint32_t bytes = 0;
  while (input.ReadVarint32(&bytes)) {
    const auto limit = input.PushLimit(static_cast<int>(bytes));
    hybridserve::worker::v1::ConnectRequest message;
    if (!message.MergeFromCodedStream(&input)) return 0;
    if (input.BytesUntilLimit() != 0) return 0;
    input.PopLimit(limit);
    world.Hear(message);
  }
  world.Finish();
  return 0;
}
