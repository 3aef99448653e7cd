#include "scheduler/tokenizer/utf8.h"

#include <glog/logging.h>

namespace hybridserve {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD.

// What may follow a lead byte (Unicode 15, table 3-7): the second byte's range
// and the length. Every later byte is 80..BF.
struct Lead {
  int size;  // 0: cannot begin a sequence.
  uint8_t second_min;
  uint8_t second_max;
};

Lead LeadOf(uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Utf8Step NextUtf8(absl::string_view bytes) {
  DCHECK(!bytes.empty());
  const auto first = static_cast<uint8_t>(bytes[0]);
  const Lead lead = LeadOf(first);
  if (lead.size == 0) return {Utf8Step::Kind::kInvalid, 1, 0};
  if (lead.size == 1) return {Utf8Step::Kind::kChar, 1, first};

  char32_t code_point = first & (0x7F >> lead.size);
  for (int i = 1; i < lead.size; ++i) {
    if (i == static_cast<int>(bytes.size())) {
      return {Utf8Step::Kind::kIncomplete, i, 0};
    }
    const auto byte = static_cast<uint8_t>(bytes[i]);
    const uint8_t min = i == 1 ? lead.second_min : 0x80;
    const uint8_t max = i == 1 ? lead.second_max : 0xBF;
    if (byte < min || byte > max) return {Utf8Step::Kind::kInvalid, i, 0};
    code_point = (code_point << 6) | (byte & 0x3F);
  }
  return {Utf8Step::Kind::kChar, lead.size, code_point};
}

std::optional<int64_t> FindInvalidUtf8(absl::string_view bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const Utf8Step step = NextUtf8(bytes.substr(at));
    if (step.kind != Utf8Step::Kind::kChar) return static_cast<int64_t>(at);
    at += step.size;
  }
  return std::nullopt;
}

int64_t AppendUtf8Lossy(absl::string_view bytes, std::string& out) {
  size_t at = 0;
  while (at < bytes.size()) {
    const Utf8Step step = NextUtf8(bytes.substr(at));
    if (step.kind == Utf8Step::Kind::kIncomplete) break;
    if (step.kind == Utf8Step::Kind::kChar) {
      out.append(bytes.data() + at, step.size);
    } else {
      out.append(kReplacement.data(), kReplacement.size());
    }
    at += step.size;
  }
  return static_cast<int64_t>(at);
}

std::string Utf8Lossy(absl::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  const int64_t taken = AppendUtf8Lossy(bytes, out);
  if (taken < static_cast<int64_t>(bytes.size())) {
    out.append(kReplacement.data(), kReplacement.size());
  }
  return out;
}

void AppendUtf8(char32_t code_point, std::string& out) {
  if (code_point < 0x80) {
    out.push_back(static_cast<char>(code_point));
    return;
  }
  const int tail = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
  const int lead_mark = 0xFF00 >> (tail + 1);  // Low byte: C0, E0, F0.
  out.push_back(static_cast<char>(lead_mark | (code_point >> (6 * tail))));
  for (int i = tail - 1; i >= 0; --i) {
    out.push_back(static_cast<char>(0x80 | ((code_point >> (6 * i)) & 0x3F)));
  }
}

Utf8Step LastUtf8(absl::string_view text) {
  DCHECK(!text.empty());
  size_t start = text.size() - 1;
  while (start > 0 && (static_cast<uint8_t>(text[start]) & 0xC0) == 0x80) {
    --start;
  }
  return NextUtf8(text.substr(start));
}

}  // namespace hybridserve
