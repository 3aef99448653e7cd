#include "scheduler/core/outstanding_plan.h"

#include <cstddef>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

absl::Status BadResult(SequenceId sequence, absl::string_view what) {
  return absl::InternalError(
      absl::StrCat("bad step result: sequence ", sequence.value(), " ", what));
}

absl::Status Check(const ExpectedResult& expected, int64_t vocab_size,
                   const SequenceResult& got) {
  const auto is_token = [&](int32_t id) { return id >= 0 && id < vocab_size; };
  if (expected.sample ? !is_token(got.token) : got.token != -1) {
    return BadResult(expected.sequence, absl::StrCat("has token ", got.token));
  }
  if (static_cast<int64_t>(got.top.size()) > expected.num_top) {
    return BadResult(expected.sequence,
                     absl::StrCat("has ", got.top.size(),
                                  " likeliest tokens, not ", expected.num_top));
  }
  if (static_cast<int64_t>(got.scores.size()) != expected.num_scores) {
    return BadResult(expected.sequence,
                     absl::StrCat("has ", got.scores.size(), " scores, not ",
                                  expected.num_scores));
  }
  std::vector<int32_t> likeliest;
  for (const TopToken& top : got.top) likeliest.push_back(top.token);
  for (const TokenScore& score : got.scores) {
    likeliest.push_back(score.top_token);
  }
  const auto bad = absl::c_find_if_not(likeliest, is_token);
  if (bad == likeliest.end()) return absl::OkStatus();
  return BadResult(expected.sequence,
                   absl::StrCat("has likeliest token ", *bad));
}

}  // namespace

ExpectedResult ExpectedResult::Of(const StepSequence& step, bool is_prefill) {
  const auto unscored = absl::c_count(step.score_targets, -1);
  return {
      .sequence = step.sequence,
      .num_new = step.num_new,
      .is_prefill = is_prefill,
      .sample = step.sample,
      .num_top = step.sample ? step.sampling.top_log_probs : 0,
      .num_scores = static_cast<int64_t>(step.score_targets.size()) - unscored};
}

int64_t OutstandingPlan::num_prefill_tokens() const {
  int64_t tokens = 0;
  for (const ExpectedResult& expected : sequences) {
    if (expected.is_prefill) tokens += expected.num_new;
  }
  return tokens;
}

absl::StatusOr<std::vector<SequenceResult>> MatchResult(
    const OutstandingPlan& plan, int64_t vocab_size, StepResult result) {
  if (!result.status.ok()) {
    return absl::Status(result.status.code(),
                        absl::StrCat("step ", result.fence.step,
                                     " failed: ", result.status.message()));
  }
  absl::flat_hash_map<SequenceId, SequenceResult*> results;
  for (SequenceResult& sequence : result.sequences) {
    if (!results.emplace(sequence.sequence, &sequence).second) {
      return BadResult(sequence.sequence, "is there twice");
    }
  }
  std::vector<SequenceResult> matched;
  for (const ExpectedResult& expected : plan.sequences) {
    SequenceResult got = {.sequence = expected.sequence};
    const auto it = results.find(expected.sequence);
    if (it != results.end()) {
      got = std::move(*it->second);
      results.erase(it);
    }
    RETURN_IF_ERROR(Check(expected, vocab_size, got));
    matched.push_back(std::move(got));
  }
  if (!results.empty()) {
    return BadResult(results.begin()->first, "was not in the plan");
  }
  return matched;
}

}  // namespace hybridserve
