#include "scheduler/core/testing/bad_result.h"

#include <vector>

#include "common/ids.h"

namespace hybridserve {
namespace {

constexpr SequenceId kNobody(1'000'000'000);

int64_t Uniform(int64_t low, int64_t high, std::mt19937_64& random) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

}  // namespace

void Spoil(StepResult& result, int64_t vocab_size, std::mt19937_64& random) {
  std::vector<SequenceResult>& sequences = result.sequences;
  const int64_t kind = Uniform(0, 5, random);
  if (kind == 0 || sequences.empty()) {
    sequences.push_back({.sequence = kNobody});
    return;
  }
  const int64_t index =
      Uniform(0, static_cast<int64_t>(sequences.size()) - 1, random);
  SequenceResult& spoilt = sequences[index];
  switch (kind) {
    case 1:
      sequences.push_back(SequenceResult(spoilt));
      return;
    case 2:
      if (spoilt.token < 0 && spoilt.scores.empty()) {
        // Of one that was asked for nothing nothing is missed.
        sequences.push_back({.sequence = kNobody});
      } else {
        sequences.erase(sequences.begin() + index);
      }
      return;
    case 3:
      spoilt.token =
          Uniform(0, 1, random) == 0 ? static_cast<int32_t>(vocab_size) : -2;
      return;
    case 4:
      spoilt.token = spoilt.token < 0 ? 5 : -1;
      return;
    default:
      spoilt.scores.push_back({.log_prob = -1});
  }
}

}  // namespace hybridserve
