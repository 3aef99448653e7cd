#include "common/size.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 60;

struct Unit {
  absl::string_view name;
  int64_t bytes;
};

constexpr Unit kUnits[] = {
    {"", 1},
    {"b", 1},
    {"kb", 1'000},
    {"mb", 1'000'000},
    {"gb", 1'000'000'000},
    {"tb", 1'000'000'000'000},
    {"kib", int64_t{1} << 10},
    {"mib", int64_t{1} << 20},
    {"gib", int64_t{1} << 30},
    {"tib", int64_t{1} << 40},
};

absl::Status Malformed(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", text,
      "\" is not a size: write bytes, or a number and kB, MB, GB, TB, KiB, "
      "MiB, GiB or TiB"));
}

// Digits with at most one point among them, at least one digit.
bool IsPlainDecimal(absl::string_view number) {
  int points = 0;
  int digits = 0;
  for (const char c : number) {
    if (c == '.') {
      ++points;
    } else if (absl::ascii_isdigit(c)) {
      ++digits;
    } else {
      return false;
    }
  }
  return digits > 0 && points <= 1;
}

absl::StatusOr<int64_t> BytesOf(absl::string_view number, int64_t unit_bytes,
                                absl::string_view text) {
  const absl::Status too_large = absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is too large for a size"));
  if (!absl::StrContains(number, '.')) {
    int64_t whole = 0;
    if (!absl::SimpleAtoi(number, &whole) || whole > kMaxBytes / unit_bytes) {
      return too_large;
    }
    return whole * unit_bytes;
  }
  double value = 0;
  if (!absl::SimpleAtod(number, &value)) return Malformed(text);
  const double bytes = value * static_cast<double>(unit_bytes);
  if (bytes > static_cast<double>(kMaxBytes)) return too_large;
  return static_cast<int64_t>(bytes);
}

}  // namespace

absl::StatusOr<int64_t> ParseSize(absl::string_view text) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
  const size_t end = trimmed.find_first_not_of("0123456789.");
  const absl::string_view number = trimmed.substr(0, end);
  const absl::string_view unit =
      end == absl::string_view::npos
          ? absl::string_view()
          : absl::StripLeadingAsciiWhitespace(trimmed.substr(end));
  if (!IsPlainDecimal(number)) return Malformed(text);
  for (const Unit& known : kUnits) {
    if (absl::EqualsIgnoreCase(unit, known.name)) {
      return BytesOf(number, known.bytes, text);
    }
  }
  return Malformed(text);
}

absl::StatusOr<int64_t> ParseBandwidth(absl::string_view text) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
  ASSIGN_OR_RETURN(const int64_t bytes,
                   ParseSize(absl::StripSuffix(trimmed, "/s")));
  if (bytes == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not a bandwidth: it must be above 0"));
  }
  return bytes;
}

std::string FormatSize(int64_t bytes) {
  CHECK_GE(bytes, 0);
  constexpr absl::string_view kNames[] = {"KiB", "MiB", "GiB",
                                          "TiB", "PiB", "EiB"};
  // 999.5 and more would print four digits.
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(kNames)) {
    value /= 1024;
    ++unit;
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return absl::StrFormat("%.*f %s", decimals, value, kNames[unit]);
}

}  // namespace hybridserve
