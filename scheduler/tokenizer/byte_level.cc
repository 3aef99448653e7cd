#include "scheduler/tokenizer/byte_level.h"

#include <array>

#include "scheduler/tokenizer/utf8.h"

namespace hybridserve {
namespace {

constexpr char32_t kFirstStandIn = 0x100;
constexpr int kNumStandIns = 68;

constexpr bool StandsForItself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) ||
         byte >= 0xAE;
}

struct Alphabet {
  std::array<std::string, 256> chars;                // Byte -> UTF-8.
  std::array<uint8_t, kNumStandIns> stand_in_bytes;  // U+0100 + i -> byte.
};

Alphabet MakeAlphabet() {
  Alphabet alphabet;
  int num_stand_ins = 0;
  for (int byte = 0; byte < 256; ++byte) {
    char32_t code_point = byte;
    if (!StandsForItself(byte)) {
      code_point = kFirstStandIn + num_stand_ins;
      alphabet.stand_in_bytes[num_stand_ins++] = static_cast<uint8_t>(byte);
    }
    AppendUtf8(code_point, alphabet.chars[byte]);
  }
  return alphabet;
}

const Alphabet& TheAlphabet() {
  static const Alphabet& alphabet = *new Alphabet(MakeAlphabet());
  return alphabet;
}

}  // namespace

absl::string_view ByteLevelChar(uint8_t byte) {
  return TheAlphabet().chars[byte];
}

std::optional<uint8_t> ByteLevelByte(char32_t code_point) {
  if (code_point < 0x100) {
    if (!StandsForItself(static_cast<int>(code_point))) return std::nullopt;
    return static_cast<uint8_t>(code_point);
  }
  if (code_point >= kFirstStandIn + kNumStandIns) return std::nullopt;
  return TheAlphabet().stand_in_bytes[code_point - kFirstStandIn];
}

std::string ByteLevelEncode(absl::string_view bytes) {
  std::string token;
  for (const char byte : bytes) {
    const absl::string_view text = ByteLevelChar(static_cast<uint8_t>(byte));
    token.append(text.data(), text.size());
  }
  return token;
}

std::optional<std::string> ByteLevelDecode(absl::string_view token) {
  std::string bytes;
  while (!token.empty()) {
    const Utf8Step step = NextUtf8(token);
    if (step.kind != Utf8Step::Kind::kChar) return std::nullopt;
    const std::optional<uint8_t> byte = ByteLevelByte(step.code_point);
    if (!byte.has_value()) return std::nullopt;
    bytes.push_back(static_cast<char>(*byte));
    token.remove_prefix(step.size);
  }
  return bytes;
}

}  // namespace hybridserve
