#include "worker/offload/step_preparer.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hybridserve {

std::unique_ptr<IssuedStep> StepPreparer::Prepare(const StepPlan& plan) {
  auto step = std::make_unique<IssuedStep>();
  step->fence = plan.fence;
  for (const StepSequence& sequence : plan.sequences) {
    step->sequences.push_back(sequence.sequence);
  }
  absl::StatusOr<StepLayout> layout = validator_.Accept(plan);
  if (layout.ok()) {
    step->layout = *std::move(layout);
  } else {
    LOG(WARNING) << "plan refused: step=" << plan.fence.step << " "
                 << layout.status();
    step->status = layout.status();
  }
  return step;
}

absl::StatusOr<std::vector<int32_t>> StepPreparer::InputTokens(
    const IssuedStep& step) {
  std::vector<int32_t> tokens;
  tokens.reserve(step.layout.inputs.size());
  for (const InputRow& input : step.layout.inputs) {
    if (input.token >= 0) {
      tokens.push_back(input.token);
      continue;
    }
    const SequenceId id = step.sequences[input.sequence];
    const SequenceState* state = validator_.table().Find(id);
    if (state == nullptr || state->last_token < 0) {
      return absl::InternalError(
          absl::StrCat("no last token of sequence ", id.value()));
    }
    tokens.push_back(state->last_token);
    validator_.table().SetToken(id, input.position, state->last_token);
  }
  return tokens;
}

absl::Status StepPreparer::AddLogitChanges(IssuedStep& step) {
  for (SampledRow& sample : step.layout.samples) {
    if (!sample.params.changes_logits()) continue;
    const SequenceId id = step.sequences[sample.sequence];
    const absl::Span<const int32_t> tokens = validator_.table().Tokens(id);
    const auto position = static_cast<size_t>(sample.position);
    if (tokens.size() < position) {
      return absl::InternalError(
          absl::StrCat("not all ids of sequence ", id.value()));
    }
    sample.changes = builder_.Build(tokens.first(position), sample.num_prompt,
                                    sample.params);
  }
  return absl::OkStatus();
}

void StepPreparer::Absorb(absl::Span<const SampledToken> sampled) {
  for (const SampledToken& token : sampled) {
    validator_.table().SetLastToken(token.sequence, token.token);
  }
}

}  // namespace hybridserve
