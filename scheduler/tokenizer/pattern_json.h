#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_PATTERN_JSON_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_PATTERN_JSON_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/tokenizer/json_view.h"
#include "scheduler/tokenizer/regex.h"

namespace hybridserve {

// Reads a pattern of a tokenizer.json: {"String": text} or {"Regex": pattern}.
absl::StatusOr<Regex> ParsePattern(const JsonView& json);

// The refusal of a component ("normalizer" and so on) of unknown type.
absl::Status UnsupportedType(const JsonView& json, absl::string_view type);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_PATTERN_JSON_H_
