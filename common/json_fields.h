#ifndef HYBRIDSERVE_COMMON_JSON_FIELDS_H_
#define HYBRIDSERVE_COMMON_JSON_FIELDS_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace hybridserve {

// Inclusive limits of an integer field.
struct IntRange {
  int64_t min = std::numeric_limits<int64_t>::min();
  int64_t max = std::numeric_limits<int64_t>::max();
};

// Reads the fields of a JSON object from a file, one type each. Errors are
// InvalidArgument and name file and field:
// "config.json: hidden_size: missing". A null counts as absent.
// Thread-compatible.
class JsonFields {
 public:
  // `object` is borrowed; `file` is for messages. InvalidArgument unless it is
  // an object.
  static absl::StatusOr<JsonFields> Create(const nlohmann::json& object,
                                           absl::string_view file);

  absl::StatusOr<int64_t> Int(absl::string_view field, IntRange range) const;
  absl::StatusOr<std::string> String(absl::string_view field) const;

  // Unset where the field is absent.
  absl::StatusOr<std::optional<int64_t>> OptionalInt(absl::string_view field,
                                                     IntRange range) const;
  absl::StatusOr<std::optional<double>> OptionalNumber(
      absl::string_view field) const;
  absl::StatusOr<std::optional<std::string>> OptionalString(
      absl::string_view field) const;
  absl::StatusOr<std::optional<bool>> OptionalBool(
      absl::string_view field) const;

  // Whether the field is there, if only as null.
  bool Has(absl::string_view field) const;
  // The value, null if absent.
  const nlohmann::json* Find(absl::string_view field) const;

  // "FILE: FIELD: WHY".
  absl::Status Error(absl::string_view field, absl::string_view why) const;
  absl::Status Missing(absl::string_view field) const;

 private:
  JsonFields(const nlohmann::json& object, absl::string_view file)
      : object_(&object), file_(file) {}

  const nlohmann::json* object_;
  std::string file_;
};

// An integer in `range` from any JSON value; the error is a bare reason:
// "must be an integer in 1..64; is -1".
absl::StatusOr<int64_t> IntFromJson(const nlohmann::json& value,
                                    IntRange range);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_JSON_FIELDS_H_
