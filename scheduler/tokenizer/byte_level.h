#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_BYTE_LEVEL_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_BYTE_LEVEL_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hybridserve {

// GPT-2's byte alphabet: the printable bytes of Latin-1 stand for themselves
// and the other 68 for U+0100 onwards, so that vocabularies can be written as
// text (Radford et al. 2019, encoder.py, bytes_to_unicode).

// The character that stands for `byte`, as UTF-8.
absl::string_view ByteLevelChar(uint8_t byte);

// The inverse; nothing for characters outside the alphabet.
std::optional<uint8_t> ByteLevelByte(char32_t code_point);

// The text of a vocabulary entry for some bytes.
std::string ByteLevelEncode(absl::string_view bytes);

// The bytes of a vocabulary entry. Nothing unless every character is in the
// alphabet and `token` is valid UTF-8.
std::optional<std::string> ByteLevelDecode(absl::string_view token);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_BYTE_LEVEL_H_
