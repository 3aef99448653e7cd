#ifndef HYBRIDSERVE_WORKER_TESTING_REFERENCE_MODEL_H_
#define HYBRIDSERVE_WORKER_TESTING_REFERENCE_MODEL_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "worker/testing/test_model.h"

namespace hybridserve {

// The definition of a model's forward pass: the whole sequence at once, no
// cache, no blocks, double precision throughout. Returns logits
// [tokens, vocab].
std::vector<std::vector<double>> ReferenceLogits(
    const TestModel& model, absl::Span<const int32_t> tokens);

// The `count` tokens that greedy decoding appends to `prompt`.
std::vector<int32_t> ReferenceGreedy(const TestModel& model,
                                     std::vector<int32_t> prompt, int count);

// Natural log-prob of `token` under logits.
double ReferenceLogProb(absl::Span<const double> logits, int32_t token);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_TESTING_REFERENCE_MODEL_H_
