#include "worker/offload/head_runner.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/status_macros.h"

namespace hybridserve {
namespace {

// The step's rows that need logits: sampled, then scored.
std::vector<int32_t> HeadRows(const StepLayout& layout) {
  std::vector<int32_t> rows;
  rows.reserve(layout.samples.size() + layout.scores.size());
  for (const SampledRow& sample : layout.samples) rows.push_back(sample.row);
  for (const ScoredRow& score : layout.scores) rows.push_back(score.row);
  return rows;
}

BufferView Bytes(const TensorView& dense) {
  return {dense.buffer, dense.offset,
          dense.rows * dense.cols * SizeOf(dense.dtype)};
}

int64_t NumHeadRows(const StepLayout& layout) {
  return static_cast<int64_t>(layout.samples.size() + layout.scores.size());
}

}  // namespace

TensorView HeadRunner::Normed(const StepLayout& layout) const {
  return workspace_.Mixed(NumHeadRows(layout), config_.hidden);
}

TensorView HeadRunner::Input(const StepLayout& layout) const {
  if (plan_.outer.project_out.empty()) return Normed(layout);
  return workspace_.Wide(NumHeadRows(layout), config_.word_embed_dim);
}

absl::Status HeadRunner::Begin(const StepLayout& layout) {
  const std::vector<int32_t> rows = HeadRows(layout);
  const TensorView hidden = workspace_.Hidden(layout.num_rows());
  const TensorView normed = Normed(layout);
  for (size_t first = 0; first < rows.size();) {
    size_t end = first + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    const int64_t count = static_cast<int64_t>(end - first);
    RETURN_IF_ERROR(
        decoder_.FinishRows(hidden.Rows(rows[first], count),
                            weights_.OuterVector(plan_.outer.final_norm_gain),
                            weights_.OuterVector(plan_.outer.final_norm_bias),
                            normed.Rows(first, count)));
    first = end;
  }
  if (plan_.outer.project_out.empty()) return absl::OkStatus();
  return decoder_.Linear(weights_.OuterMatrix(plan_.outer.project_out), {},
                         normed, Input(layout));
}

absl::Status HeadRunner::RunSlice(const StepLayout& layout,
                                  const PlacedPiece& slice) {
  const TensorView input = Input(layout);
  const auto samples = static_cast<int64_t>(layout.samples.size());
  const auto scores = static_cast<int64_t>(layout.scores.size());
  const WeightPiece& piece = slice.piece;
  if (samples > 0) {
    RETURN_IF_ERROR(decoder_.Linear({slice}, {}, input.Rows(0, samples),
                                    workspace_.Logits(samples)));
  }
  for (int64_t first = 0; first < scores; first += workspace_.score_rows()) {
    const int64_t count = std::min(workspace_.score_rows(), scores - first);
    const TensorView logits = workspace_.ScoreLogits(count, piece.shape.n);
    RETURN_IF_ERROR(
        ops_.Linear(compute_, {.x = input.Rows(samples + first, count),
                               .weight = slice.bytes,
                               .shape = piece.shape,
                               .y = logits}));
    std::vector<int32_t> targets;
    for (int64_t i = 0; i < count; ++i) {
      targets.push_back(layout.scores[first + i].target);
    }
    RETURN_IF_ERROR(ops_.LogProb(
        compute_, {.logits = logits,
                   .first_column = piece.first_row,
                   .targets = std::move(targets),
                   .state = workspace_.ScoreState(scores).Rows(first, count)}));
  }
  return absl::OkStatus();
}

absl::Status HeadRunner::Finish(const StepLayout& layout, int parity,
                                Event& done) {
  const auto samples = static_cast<int64_t>(layout.samples.size());
  const auto scores = static_cast<int64_t>(layout.scores.size());
  std::vector<CopyRun> runs;
  if (samples > 0) {
    std::vector<SampleRow> rows;
    for (const SampledRow& sample : layout.samples) {
      rows.push_back({.params = sample.params,
                      .position = sample.position,
                      .changes = sample.changes});
    }
    const TensorView tokens = workspace_.Tokens(samples);
    const TensorView log_probs = workspace_.LogProbs(samples);
    SampleArgs args = {.logits = workspace_.Logits(samples),
                       .rows = std::move(rows),
                       .tokens = tokens,
                       .log_probs = log_probs};
    if (layout.wants_top()) {
      args.top_tokens = workspace_.TopTokens(samples);
      args.top_log_probs = workspace_.TopLogProbs(samples);
      runs.push_back({.dst = workspace_.HostTopTokens(parity, samples),
                      .src = Bytes(args.top_tokens)});
      runs.push_back({.dst = workspace_.HostTopLogProbs(parity, samples),
                      .src = Bytes(args.top_log_probs)});
    }
    RETURN_IF_ERROR(ops_.Sample(compute_, args));
    runs.push_back(
        {.dst = workspace_.HostTokens(parity, samples), .src = Bytes(tokens)});
    runs.push_back({.dst = workspace_.HostLogProbs(parity, samples),
                    .src = Bytes(log_probs)});
  }
  if (scores > 0) {
    runs.push_back({.dst = workspace_.HostScoreState(parity, scores),
                    .src = Bytes(workspace_.ScoreState(scores))});
  }
  RETURN_IF_ERROR(compute_.Record(done));
  RETURN_IF_ERROR(copy_out_.Wait(done));
  if (runs.empty()) return absl::OkStatus();
  return copy_out_.Copy(runs);
}

}  // namespace hybridserve
