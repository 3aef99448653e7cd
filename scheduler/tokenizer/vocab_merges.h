#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_VOCAB_MERGES_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_VOCAB_MERGES_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/tokenizer/special_tokens.h"
#include "scheduler/tokenizer/tokenizer_spec.h"

namespace hybridserve {

// Builds what transformers' GPT2Tokenizer is, which facebook/opt-* and gpt2 ask
// for, from its files: vocab.json, merges.txt, added_tokens.json ("" if there
// is none) and the special tokens. With add_bos_token, as OPT has it, the
// beginning-of-sequence token comes before every text.
//
// InvalidArgument, naming file and field, if one is malformed, names a token
// without an id, or asks for another tokenizer class.
absl::StatusOr<TokenizerSpec> ParseVocabAndMerges(
    absl::string_view vocab_json, absl::string_view merges_txt,
    absl::string_view added_tokens_json, const SpecialTokens& special);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_VOCAB_MERGES_H_
