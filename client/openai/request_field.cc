#include "client/openai/request_field.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/numbers_by_id.h"
#include "common/status_details.h"
#include "common/status_macros.h"

namespace hybridserve::openai {
namespace {

using nlohmann::json;

constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();

// Nothing if it is no integer, or one that needs the 64th bit.
std::optional<int64_t> AsInt64(const json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(kMaxInt64)) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  return std::nullopt;
}

}  // namespace

absl::StatusOr<int64_t> ReadInt(absl::string_view field, const json& value,
                                int64_t min, int64_t max) {
  const std::optional<int64_t> number = AsInt64(value);
  if (number.has_value() && *number >= min && *number <= max) return *number;
  return InvalidFieldError(
      field, absl::StrCat("must be an integer from ", min, " to ", max));
}

absl::StatusOr<uint64_t> ReadSeed(absl::string_view field, const json& value) {
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  if (value.is_number_integer()) {
    return static_cast<uint64_t>(value.get<int64_t>());
  }
  return InvalidFieldError(field, "must be an integer of 64 bits");
}

absl::StatusOr<double> ReadNumber(absl::string_view field, const json& value) {
  if (value.is_number()) return value.get<double>();
  return InvalidFieldError(field, "must be a number");
}

absl::StatusOr<bool> ReadBool(absl::string_view field, const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  return InvalidFieldError(field, "must be true or false");
}

absl::StatusOr<std::string> ReadString(absl::string_view field,
                                       const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return InvalidFieldError(field, "must be a string");
}

absl::StatusOr<std::vector<std::string>> ReadStrings(absl::string_view field,
                                                     const json& value) {
  if (value.is_string()) {
    return std::vector<std::string>{value.get<std::string>()};
  }
  std::vector<std::string> strings;
  bool good = value.is_array();
  for (const json& item : good ? value : json::array()) {
    good = good && item.is_string();
    if (good) strings.push_back(item.get<std::string>());
  }
  if (good) return strings;
  return InvalidFieldError(field, "must be a string or a list of strings");
}

absl::StatusOr<std::vector<int32_t>> ReadTokenIds(absl::string_view field,
                                                  const json& value) {
  if (!value.is_array() || value.empty()) {
    return InvalidFieldError(field, "must be a list of token ids, not empty");
  }
  std::vector<int32_t> ids;
  ids.reserve(value.size());
  for (const json& item : value) {
    ASSIGN_OR_RETURN(
        const int64_t id,
        ReadInt(field, item, 0, std::numeric_limits<int32_t>::max()));
    ids.push_back(static_cast<int32_t>(id));
  }
  return ids;
}

absl::StatusOr<std::map<uint32_t, double>> ReadNumbersById(
    absl::string_view field, const json& value) {
  auto numbers = NumbersById(value);
  if (numbers.has_value()) return *std::move(numbers);
  return InvalidFieldError(field, "must be an object of numbers by token id");
}

}  // namespace hybridserve::openai
