#include "scheduler/rpc/trace_context.h"

#include <algorithm>
#include <cstddef>

namespace hybridserve {
namespace {

// version "-" trace-id "-" parent-id "-" trace-flags
constexpr size_t kVersionDigits = 2;
constexpr size_t kTraceIdDigits = 32;
constexpr size_t kParentIdDigits = 16;
constexpr size_t kFlagsDigits = 2;

bool IsLowerHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// Takes `digits` lower-case hex digits off the front; nothing if they are not
// there.
std::optional<absl::string_view> TakeHex(size_t digits,
                                         absl::string_view& text) {
  if (text.size() < digits) return std::nullopt;
  const absl::string_view hex = text.substr(0, digits);
  if (!std::all_of(hex.begin(), hex.end(), IsLowerHexDigit)) {
    return std::nullopt;
  }
  text.remove_prefix(digits);
  return hex;
}

bool TakeDash(absl::string_view& text) {
  if (text.empty() || text.front() != '-') return false;
  text.remove_prefix(1);
  return true;
}

bool IsZero(absl::string_view hex) {
  return hex.find_first_not_of('0') == absl::string_view::npos;
}

}  // namespace

std::optional<std::string> ParseTraceId(absl::string_view traceparent) {
  const auto version = TakeHex(kVersionDigits, traceparent);
  if (!version.has_value() || *version == "ff") return std::nullopt;
  if (!TakeDash(traceparent)) return std::nullopt;
  const auto trace_id = TakeHex(kTraceIdDigits, traceparent);
  if (!trace_id.has_value() || IsZero(*trace_id)) return std::nullopt;
  if (!TakeDash(traceparent)) return std::nullopt;
  const auto parent_id = TakeHex(kParentIdDigits, traceparent);
  if (!parent_id.has_value() || IsZero(*parent_id)) return std::nullopt;
  if (!TakeDash(traceparent)) return std::nullopt;
  if (!TakeHex(kFlagsDigits, traceparent).has_value()) return std::nullopt;
  // A version to come may have more, after a dash.
  if (!traceparent.empty() &&
      (*version == "00" || traceparent.front() != '-')) {
    return std::nullopt;
  }
  return std::string{*trace_id};
}

}  // namespace hybridserve
