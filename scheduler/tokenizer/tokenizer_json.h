#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_TOKENIZER_JSON_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_TOKENIZER_JSON_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/tokenizer/tokenizer_spec.h"

namespace hybridserve {

// Reads the text of a tokenizer.json, as PyPI's `tokenizers` writes it, whose
// model is a byte-level BPE. InvalidArgument, naming file and field, if it is
// malformed or asks for something that isn't supported. "truncation" and
// "padding" are ignored: they prepare training batches.
absl::StatusOr<TokenizerSpec> ParseTokenizerJson(absl::string_view text);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_TOKENIZER_JSON_H_
