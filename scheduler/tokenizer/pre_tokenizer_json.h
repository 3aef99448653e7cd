#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_PRE_TOKENIZER_JSON_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_PRE_TOKENIZER_JSON_H_

#include "absl/status/statusor.h"
#include "scheduler/tokenizer/json_view.h"
#include "scheduler/tokenizer/pre_tokenizer.h"

namespace hybridserve {

// Reads "pre_tokenizer" of a tokenizer.json: ByteLevel, Split, Digits and
// Sequence. The last step, and only the last, must be ByteLevel: this is a
// byte-level tokenizer. InvalidArgument for anything else and for fields that
// it doesn't know.
absl::StatusOr<PreTokenizer> ParsePreTokenizer(const JsonView& json);

// The same beside a vocabulary of characters: Metaspace, at most one, Split,
// Digits and Sequence, or null.
absl::StatusOr<PreTokenizer> ParseCharacterPreTokenizer(const JsonView& json);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_PRE_TOKENIZER_JSON_H_
