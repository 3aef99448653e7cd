#ifndef HYBRIDSERVE_COMMON_SAMPLING_PARAMS_H_
#define HYBRIDSERVE_COMMON_SAMPLING_PARAMS_H_

#include <compare>
#include <cstdint>
#include <vector>

namespace hybridserve {

// Presence and frequency penalties are within [-kMaxPenalty, kMaxPenalty].
inline constexpr double kMaxPenalty = 2;
// Biases are within [-kMaxLogitBias, kMaxLogitBias].
inline constexpr double kMaxLogitBias = 100;
inline constexpr int64_t kMaxLogitBiases = 512;
// The most that SamplingParams::top_log_probs asks for.
inline constexpr int64_t kMaxTopLogProbs = 20;

// What one id's logit gains.
struct LogitBias {
  int32_t token = 0;
  double bias = 0;

  friend auto operator<=>(const LogitBias&, const LogitBias&) = default;
};

// How one sequence's next token is chosen from its logits; checked by the
// scheduler before it gets here, and again by the worker.
//
// First, what came up before is made less likely. The logit of an id that is in
// the prompt or the output is divided by repetition_penalty where it is
// positive and multiplied by it where not (arXiv:1909.05858, section 4.1); then
// one that is in the output n times loses n * frequency_penalty +
// presence_penalty, and all gain their biases.
//
// Then temperature 0 is greedy: the highest logit, the lowest id among equals.
// Otherwise, in this order: logits / temperature, top_k, top_p over the
// renormalised rest, one draw from a counter-based generator keyed by
// (seed, position of the token), so that a replayed sequence draws the same.
struct SamplingParams {
  double temperature = 0;  // >= 0, finite.
  int64_t top_k = 0;       // 0: all of the vocabulary.
  double top_p = 1;        // (0, 1].
  uint64_t seed = 0;
  double presence_penalty = 0;        // [-2, 2].
  double frequency_penalty = 0;       // [-2, 2].
  double repetition_penalty = 1;      // > 0, finite; 1: none.
  std::vector<LogitBias> logit_bias;  // By ascending token, each once.
  // Natural log-prob of the chosen token, without penalties and the rest.
  bool want_log_prob = false;
  // How many of the likeliest ids in its place are wanted, with theirs.
  int64_t top_log_probs = 0;  // [0, kMaxTopLogProbs].

  bool has_output_penalty() const {
    return presence_penalty != 0 || frequency_penalty != 0;
  }
  bool changes_logits() const {
    return has_output_penalty() || repetition_penalty != 1 ||
           !logit_bias.empty();
  }

  friend bool operator==(const SamplingParams&,
                         const SamplingParams&) = default;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_SAMPLING_PARAMS_H_
