#include "worker/offload/direct_engine.h"

#include <vector>

#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve {

absl::StatusOr<std::unique_ptr<DirectEngine>> DirectEngine::Create(
    EngineResources& resources, const Clock& clock) {
  std::unique_ptr<DirectEngine> engine(new DirectEngine(resources, clock));
  ASSIGN_OR_RETURN(engine->runner_, StepRunner::Create(resources));
  engine->collector_ = std::make_unique<StepCollector>(
      engine->runner_->workspace(), resources.config.vocab_size,
      engine->runner_->streams(), clock);
  return engine;
}

StepResult DirectEngine::RunNext() {
  CHECK_GT(outstanding(), 0);
  if (next_ == nullptr) {
    next_ = preparer_.Prepare(plans_.front());
    plans_.pop_front();
  }
  const std::unique_ptr<IssuedStep> step = std::move(next_);
  if (step->status.ok() && step->layout.num_rows() > 0) {
    step->status = Issue(*step);
  }
  // As Engine does before it waits for the step's tokens.
  if (step->status.ok() && next_ != nullptr) {
    step->status = runner_->RebuildFirst(*next_);
  }
  StepResult result = collector_->Collect(*step);
  preparer_.Absorb(SampledTokens(*step, result));
  return result;
}

absl::Status DirectEngine::Issue(IssuedStep& step) {
  step.begun = clock_.Now();
  step.parity = static_cast<int>(issued_++ % 2);
  RETURN_IF_ERROR(runner_->StageFirst(step));
  RETURN_IF_ERROR(runner_->RebuildFirst(step));
  ASSIGN_OR_RETURN(const std::vector<int32_t> tokens,
                   preparer_.InputTokens(step));
  RETURN_IF_ERROR(preparer_.AddLogitChanges(step));
  return runner_->Run(step, tokens, [this] { return PrepareNext(); });
}

absl::Status DirectEngine::PrepareNext() {
  if (next_ != nullptr || plans_.empty()) return absl::OkStatus();
  next_ = preparer_.Prepare(plans_.front());
  plans_.pop_front();
  if (!next_->status.ok() || next_->layout.num_rows() == 0) {
    return absl::OkStatus();
  }
  return runner_->StageFirst(*next_);
}

}  // namespace hybridserve
