#ifndef HYBRIDSERVE_COMMON_SAMPLING_PARAMS_H_
#define HYBRIDSERVE_COMMON_SAMPLING_PARAMS_H_

#include <cstdint>

namespace hybridserve {

// How one sequence's next token is chosen from its logits; checked by the
// scheduler before it gets here, and again by the worker.
//
// temperature 0 is greedy: the highest logit, the lowest id among equals.
// Otherwise, in this order: logits / temperature, top_k, top_p over the
// renormalised rest, one draw from a counter-based generator keyed by
// (seed, position of the token), so that a replayed sequence draws the same.
struct SamplingParams {
  double temperature = 0;  // >= 0, finite.
  int64_t top_k = 0;       // 0: all of the vocabulary.
  double top_p = 1;        // (0, 1].
  uint64_t seed = 0;
  bool want_log_prob = false;  // Natural log-prob of the chosen token.

  friend bool operator==(const SamplingParams&,
                         const SamplingParams&) = default;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_SAMPLING_PARAMS_H_
