#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_TOKENIZER_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_TOKENIZER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "scheduler/tokenizer/added_tokens.h"
#include "scheduler/tokenizer/special_tokens.h"
#include "scheduler/tokenizer/tokenizer_spec.h"

namespace hybridserve {

// The contents of a Hugging Face model folder's tokenizer files, as a worker
// sends them; empty where there is no such file. Not trusted.
struct TokenizerFiles {
  std::string tokenizer_json;  // If given, vocab_json and the like are unused.
  std::string vocab_json;
  std::string merges_txt;
  std::string added_tokens_json;
  std::string tokenizer_config_json;
  std::string special_tokens_map_json;
};

// Text to token ids and back, by a byte-level BPE of the GPT-2 family, or by
// one of characters with bytes to fall back to, as Llama 2 has.
//
// Gives the ids that PyPI's `tokenizers` gives for the same files. Thread-safe:
// immutable.
class Tokenizer {
 public:
  static constexpr int64_t kMaxTextBytes = int64_t{64} << 20;

  // InvalidArgument, naming file and field, if the files are missing,
  // malformed, contradict each other or ask for something that isn't
  // supported.
  static absl::StatusOr<std::unique_ptr<Tokenizer>> Create(
      const TokenizerFiles& files);

  // The ids of `utf8`; with `add_special_tokens` also those that the model
  // wants around a text. InvalidArgument, naming the byte offset, if it is not
  // valid UTF-8, or if it is longer than kMaxTextBytes; ResourceExhausted if
  // one of the tokenizer's regular expressions takes too much work on it.
  absl::StatusOr<std::vector<int32_t>> Encode(absl::string_view utf8,
                                              bool add_special_tokens) const;

  // The text of `ids`, valid UTF-8: where their bytes are not, each maximal
  // ill-formed subpart becomes U+FFFD. Unknown ids give nothing. `ids` are
  // a whole text: what goes on after another is the streaming decoder's.
  std::string Decode(absl::Span<const int32_t> ids,
                     bool skip_special_tokens) const;

  // One token's text, as it stands within a text.
  std::string DecodeToken(int32_t id, bool skip_special_tokens) const;

  // One token's bytes, a part of a character perhaps; empty for unknown ids.
  // Lives as long as the tokenizer.
  absl::string_view TokenBytes(int32_t id) const;

  // Of the token with the most bytes.
  int64_t longest_token_bytes() const { return longest_token_bytes_; }

  // One more than the highest id.
  int64_t vocab_size() const { return vocab_size_; }

  // Whether `id` is control, not text.
  bool IsSpecial(int32_t id) const;

  // Between an id and a token as its file writes it: in the vocabulary's
  // alphabet, but added tokens as they are.
  std::optional<int32_t> TokenToId(absl::string_view token) const;
  std::optional<absl::string_view> IdToToken(int32_t id) const;

  // The tokens that tokenizer_config.json or special_tokens_map.json names.
  std::optional<int32_t> bos_id() const { return bos_id_; }
  std::optional<int32_t> eos_id() const { return eos_id_; }
  std::optional<int32_t> pad_id() const { return pad_id_; }

 private:
  struct Entry {
    std::string token;
    std::string bytes;
    bool special;
  };

  Tokenizer(TokenizerSpec spec, AddedTokens added_tokens);
  static absl::Status CheckAddedTokens(const TokenizerSpec& spec);
  absl::Status CheckTemplate() const;
  void FillEntries();
  // Of a token as its file writes it.
  std::string BytesOf(const std::string& token) const;
  void SetRoles(const SpecialTokens& special);

  TokenizerSpec spec_;
  AddedTokens added_tokens_;
  absl::flat_hash_map<int32_t, Entry> entries_;  // By id.
  absl::flat_hash_map<std::string, int32_t> added_ids_;
  int64_t longest_token_bytes_ = 0;
  int64_t vocab_size_ = 0;
  std::optional<int32_t> bos_id_;
  std::optional<int32_t> eos_id_;
  std::optional<int32_t> pad_id_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_TOKENIZER_H_
