#ifndef HYBRIDSERVE_SCHEDULER_CORE_TESTING_BAD_RESULT_H_
#define HYBRIDSERVE_SCHEDULER_CORE_TESTING_BAD_RESULT_H_

#include <cstdint>
#include <random>

#include "common/step_result.h"

namespace hybridserve {

// Makes a good result one that no sound worker gives: sequences that were not
// asked for, named twice or missing, ids outside the vocabulary, tokens or
// scores where none were asked for, none where some were.
void Spoil(StepResult& result, int64_t vocab_size, std::mt19937_64& random);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_TESTING_BAD_RESULT_H_
