#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_SPECIAL_TOKENS_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_SPECIAL_TOKENS_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/tokenizer/added_tokens.h"

namespace hybridserve {

// What tokenizer_config.json and special_tokens_map.json say: which tokens
// play a part, and how transformers' tokenizer class treats the text.
struct SpecialTokens {
  struct Token {
    std::string field;  // Where it stands: "tokenizer_config.json: bos_token".
    AddedToken token;   // `id` counts only if `has_id`.
    bool has_id = false;
  };

  // By role ("bos", "eos", "unk", "pad", "sep", "cls", "mask").
  std::vector<std::pair<std::string, Token>> roles;
  std::vector<Token> others;  // Additional ones and added_tokens_decoder's.

  std::string tokenizer_class;  // "" if not given.
  bool add_bos_token = false;
  bool add_eos_token = false;
  bool add_prefix_space = false;

  // The token of a role; null if none was given.
  const Token* Find(absl::string_view role) const;
};

// Reads both files; an empty text means that the file is absent. Where both
// name a role, special_tokens_map.json counts, unless tokenizer_config.json
// has added_tokens_decoder (transformers since 4.34), which makes it obsolete.
// Other fields are other programs' business. InvalidArgument, naming file and
// field, for malformed ones.
absl::StatusOr<SpecialTokens> ParseSpecialTokens(
    absl::string_view tokenizer_config_json,
    absl::string_view special_tokens_map_json);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_SPECIAL_TOKENS_H_
