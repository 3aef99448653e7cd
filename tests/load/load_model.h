#ifndef HYBRIDSERVE_TESTS_LOAD_LOAD_MODEL_H_
#define HYBRIDSERVE_TESTS_LOAD_LOAD_MODEL_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/worker_info.h"
#include "tests/load/token_chain.h"

namespace hybridserve {

// The model of the load tests: the byte model of scheduler/testing, whose
// tokens 0 to 255 are the bytes of text, with room for longer sequences.
inline constexpr int64_t kLoadVocabSize = 257;
inline constexpr int64_t kLoadMaxPositions = 4096;

// Its files: no weights, they are never read.
ModelFiles LoadModelFiles();

// What the model goes on from, given a text prompt: bos and its bytes.
TokenChain ChainOfPrompt(absl::string_view prompt);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_TESTS_LOAD_LOAD_MODEL_H_
