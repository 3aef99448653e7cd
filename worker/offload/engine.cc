#include "worker/offload/engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve {

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(
    EngineResources& resources, uint64_t epoch, const Clock& clock) {
  std::unique_ptr<Engine> engine(new Engine(resources, epoch, clock));
  ASSIGN_OR_RETURN(engine->runner_, StepRunner::Create(resources));
  engine->collector_ = std::make_unique<StepCollector>(
      engine->runner_->workspace(), resources.config.vocab_size,
      engine->runner_->streams(), clock);
  return engine;
}

Engine::Engine(EngineResources& resources, uint64_t epoch, const Clock& clock)
    : clock_(clock), inbox_(epoch), preparer_(resources.limits()) {}

void Engine::Start(StepCollector::ResultCallback on_result) {
  collector_->Start(std::move(on_result));
  thread_ = std::thread([this] { Loop(); });
}

void Engine::Stop() {
  inbox_.Stop();
  if (thread_.joinable()) thread_.join();
  if (collector_ != nullptr) collector_->Stop();
}

void Engine::Loop() {
  while (true) {
    if (next_ == nullptr) {
      const PlanInbox::Command command = inbox_.Take();
      if (command.kind == PlanInbox::Command::Kind::kStop) return;
      if (command.kind == PlanInbox::Command::Kind::kReset) {
        preparer_.Clear();
        continue;
      }
      next_ = Prepare(command.plan);
    }
    std::unique_ptr<IssuedStep> step = std::move(next_);
    if (step->status.ok() && !broken_.ok()) step->status = broken_;
    if (step->status.ok() && step->layout.num_rows() > 0) {
      step->status = RunStep(*step);
      if (!step->status.ok()) {
        LOG(ERROR) << "step failed: " << step->status;
        step->ready = nullptr;
        broken_ = absl::InternalError(
            absl::StrCat("the device failed: ", step->status.message()));
        step->status = broken_;
      }
    }
    Push(std::move(step));
  }
}

void Engine::Push(std::unique_ptr<IssuedStep> step) {
  ++pushed_;
  if (step->ready != nullptr) pushed_after_[step->parity] = pushed_;
  collector_->Push(std::move(step));
}

std::unique_ptr<IssuedStep> Engine::Prepare(const StepPlan& plan) {
  if (broken_.ok()) return preparer_.Prepare(plan);
  auto step = std::make_unique<IssuedStep>();
  step->fence = plan.fence;
  step->status = broken_;
  return step;
}

absl::Status Engine::PrepareNext() {
  while (next_ == nullptr) {
    const PlanInbox::Command command = inbox_.TryTake();
    switch (command.kind) {
      case PlanInbox::Command::Kind::kNone:
      case PlanInbox::Command::Kind::kStop:
        return absl::OkStatus();
      case PlanInbox::Command::Kind::kReset:
        preparer_.Clear();
        break;
      case PlanInbox::Command::Kind::kPlan:
        next_ = Prepare(command.plan);
        if (next_->status.ok() && next_->layout.num_rows() > 0) {
          return runner_->StageFirst(*next_);
        }
        break;
    }
  }
  return absl::OkStatus();
}

absl::Status Engine::RunStep(IssuedStep& step) {
  step.begun = clock_.Now();
  step.parity = static_cast<int>(issued_ % 2);
  ++issued_;
  VLOG(1) << "step=" << step.fence.step << " rows=" << step.layout.num_rows()
          << " mini_batches=" << step.layout.mini_batches.size();
  RETURN_IF_ERROR(runner_->StageFirst(step));
  RETURN_IF_ERROR(runner_->RebuildFirst(step));
  // The host buffers of this parity were read.
  RETURN_IF_ERROR(AbsorbTokens(pushed_after_[step.parity]));
  if (step.layout.needs_last_tokens) RETURN_IF_ERROR(AbsorbTokens(pushed_));
  ASSIGN_OR_RETURN(const std::vector<int32_t> tokens,
                   preparer_.InputTokens(step));
  RETURN_IF_ERROR(preparer_.AddLogitChanges(step));
  return runner_->Run(step, tokens, [this] { return PrepareNext(); });
}

absl::Status Engine::AbsorbTokens(int64_t num_steps) {
  ASSIGN_OR_RETURN(const std::vector<SampledToken> sampled,
                   collector_->Await(num_steps));
  preparer_.Absorb(sampled);
  return absl::OkStatus();
}

}  // namespace hybridserve
