#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_TESTING_TINY_TOKENIZER_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_TESTING_TINY_TOKENIZER_H_

#include <cstdint>

#include "scheduler/tokenizer/tokenizer.h"

namespace hybridserve {

// The ids of TinyTokenizerFiles(): byte b alone is b, and these.
inline constexpr int32_t kTinyTh = 256;   // "th".
inline constexpr int32_t kTinyThe = 257;  // "the", from "th" and "e".
inline constexpr int32_t kTinyBos = 258;  // "<s>", special.
inline constexpr int32_t kTinyEos = 259;  // "</s>", special.
inline constexpr int32_t kTinyTag = 260;  // "<tag>", added but not special.
inline constexpr int64_t kTinyVocabSize = 261;

// tokenizer.json and tokenizer_config.json of GPT-2's kind, with <s> before
// every text that gets special tokens.
TokenizerFiles TinyTokenizerFiles();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_TESTING_TINY_TOKENIZER_H_
