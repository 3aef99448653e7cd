#include "scheduler/core/testing/expected_output.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "scheduler/core/testing/core_harness.h"
#include "scheduler/core/testing/fake_worker.h"

namespace hybridserve {
namespace {

std::vector<TokenScore> ExpectedScores(const GenerationRequest& request,
                                       const NumericsClass& numerics) {
  std::vector<TokenScore> scores;
  for (size_t i = 0; i < request.prompt.size(); ++i) {
    if (request.score_targets[i] == -1) continue;
    scores.push_back(
        FakeScore(absl::MakeConstSpan(request.prompt).subspan(0, i + 1),
                  request.score_targets[i], numerics));
  }
  return scores;
}

}  // namespace

bool IsOutputOf(const GenerationRequest& request, int64_t stop_after,
                const NumericsClass& numerics, int64_t vocab_size,
                const RequestRecord& record) {
  const bool finished = record.finished.has_value() &&
                        record.finished != FinishReason::kCancelled;
  if (request.is_score()) {
    return !finished || record.scores == ExpectedScores(request, numerics);
  }
  std::vector<int32_t> expected = ExpectedTokens(request, numerics, vocab_size);
  bool stops = false;
  for (const int32_t id : request.stop_token_ids) {
    stops |= expected.back() == id;
  }
  stops |= expected.back() == 2 && !request.ignore_eos;
  stops &= static_cast<int64_t>(expected.size()) >= request.min_tokens;
  if (static_cast<int64_t>(expected.size()) >= stop_after) {
    expected.resize(stop_after);
    stops = true;
  }
  if (finished) {
    return record.tokens == expected &&
           record.finished ==
               (stops ? FinishReason::kStop : FinishReason::kLength);
  }
  return record.tokens.size() <= expected.size() &&
         std::equal(record.tokens.begin(), record.tokens.end(),
                    expected.begin());
}

}  // namespace hybridserve
