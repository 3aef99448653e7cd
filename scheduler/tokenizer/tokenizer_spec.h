#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_TOKENIZER_SPEC_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_TOKENIZER_SPEC_H_

#include <vector>

#include "scheduler/tokenizer/added_tokens.h"
#include "scheduler/tokenizer/bpe.h"
#include "scheduler/tokenizer/normalizer.h"
#include "scheduler/tokenizer/post_processor.h"
#include "scheduler/tokenizer/pre_tokenizer.h"

namespace hybridserve {

// What a model's files say about its tokenizer, whichever files they are.
struct TokenizerSpec {
  BpeModel bpe;
  // Of the vocabulary; characters write a space as "\u2581".
  BpeAlphabet alphabet = BpeAlphabet::kBytes;
  // A text begins with a space that is no part of it, as some normalizers put
  // there.
  bool strips_first_space = false;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  PostProcessor post_processor;
  std::vector<AddedToken> added_tokens;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_TOKENIZER_SPEC_H_
