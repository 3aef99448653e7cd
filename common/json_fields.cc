#include "common/json_fields.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"

namespace hybridserve {
namespace {

using nlohmann::json;

// `value` as a message quotes it: short, on one line, ASCII.
std::string Quote(const json& value) {
  constexpr size_t kMaxLength = 40;
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  std::string text = value.dump(
      /*indent=*/-1, ' ', /*ensure_ascii=*/true,
      json::error_handler_t::replace);
  if (text.size() <= kMaxLength) return text;
  return absl::StrCat(text.substr(0, kMaxLength), "...");
}

std::string Describe(IntRange range) {
  if (range.max == std::numeric_limits<int64_t>::max()) {
    if (range.min == std::numeric_limits<int64_t>::min()) return "an integer";
    return absl::StrCat("an integer of at least ", range.min);
  }
  return absl::StrCat("an integer in ", range.min, "..", range.max);
}

absl::Status MustBe(absl::string_view what, const json& value) {
  return absl::InvalidArgumentError(
      absl::StrCat("must be ", what, "; is ", Quote(value)));
}

}  // namespace

absl::StatusOr<int64_t> IntFromJson(const json& value, IntRange range) {
  if (!value.is_number_integer()) return MustBe(Describe(range), value);
  // Unsigned numbers may be above int64's range.
  const bool too_large =
      value.is_number_unsigned() &&
      value.get<uint64_t>() >
          static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (too_large) return MustBe(Describe(range), value);
  const int64_t number = value.get<int64_t>();
  if (number < range.min || number > range.max) {
    return MustBe(Describe(range), value);
  }
  return number;
}

absl::StatusOr<JsonFields> JsonFields::Create(const json& object,
                                              absl::string_view file) {
  if (!object.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": must hold a JSON object; holds ", Quote(object)));
  }
  return JsonFields(object, file);
}

bool JsonFields::Has(absl::string_view field) const {
  const std::string key(field);
  return object_->contains(key);
}

const json* JsonFields::Find(absl::string_view field) const {
  const std::string key(field);
  const auto it = object_->find(key);
  if (it == object_->end() || it->is_null()) return nullptr;
  return &*it;
}

absl::Status JsonFields::Error(absl::string_view field,
                               absl::string_view why) const {
  return absl::InvalidArgumentError(
      absl::StrCat(file_, ": ", field, ": ", why));
}

absl::Status JsonFields::Missing(absl::string_view field) const {
  return Error(field, "missing");
}

absl::StatusOr<std::optional<int64_t>> JsonFields::OptionalInt(
    absl::string_view field, IntRange range) const {
  const json* value = Find(field);
  if (value == nullptr) return std::nullopt;
  const absl::StatusOr<int64_t> number = IntFromJson(*value, range);
  if (!number.ok()) return Error(field, number.status().message());
  return *number;
}

absl::StatusOr<int64_t> JsonFields::Int(absl::string_view field,
                                        IntRange range) const {
  ASSIGN_OR_RETURN(const std::optional<int64_t> number,
                   OptionalInt(field, range));
  if (!number.has_value()) return Missing(field);
  return *number;
}

absl::StatusOr<std::optional<double>> JsonFields::OptionalNumber(
    absl::string_view field) const {
  const json* value = Find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    return Error(field, MustBe("a number", *value).message());
  }
  return value->get<double>();
}

absl::StatusOr<std::optional<std::string>> JsonFields::OptionalString(
    absl::string_view field) const {
  const json* value = Find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    return Error(field, MustBe("a string", *value).message());
  }
  return value->get<std::string>();
}

absl::StatusOr<std::string> JsonFields::String(absl::string_view field) const {
  ASSIGN_OR_RETURN(std::optional<std::string> text, OptionalString(field));
  if (!text.has_value()) return Missing(field);
  return *std::move(text);
}

absl::StatusOr<std::optional<bool>> JsonFields::OptionalBool(
    absl::string_view field) const {
  const json* value = Find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) {
    return Error(field, MustBe("true or false", *value).message());
  }
  return value->get<bool>();
}

}  // namespace hybridserve
