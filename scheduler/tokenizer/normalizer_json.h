#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_NORMALIZER_JSON_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_NORMALIZER_JSON_H_

#include "absl/status/statusor.h"
#include "scheduler/tokenizer/json_view.h"
#include "scheduler/tokenizer/normalizer.h"

namespace hybridserve {

// Reads "normalizer" of a tokenizer.json, which may be null: NFC, NFD, NFKC,
// NFKD, Lowercase, StripAccents, Strip, Prepend, Replace, Sequence.
// InvalidArgument for any other and for fields that it doesn't know.
absl::StatusOr<Normalizer> ParseNormalizer(const JsonView& json);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_NORMALIZER_JSON_H_
