#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_REGEX_SYNTAX_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_REGEX_SYNTAX_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// Rewrites a regular expression of a tokenizer.json, which is in Oniguruma's
// syntax, for PCRE2 with UTF, UCP and MULTILINE.
//
// Handles what the two read alike or what can be said in both. What they read
// differently, or what no tokenizer needs (\w, back references, recursion,
// nested sets, {1,3}+ and so on), is InvalidArgument, saying what and where.
absl::StatusOr<std::string> OnigurumaToPcre2(absl::string_view pattern);

// A pattern for exactly `text`.
std::string EscapeForPcre2(absl::string_view text);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_REGEX_SYNTAX_H_
