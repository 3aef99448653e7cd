#ifndef HYBRIDSERVE_SCHEDULER_TOKENIZER_JSON_VIEW_H_
#define HYBRIDSERVE_SCHEDULER_TOKENIZER_JSON_VIEW_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nlohmann/json_fwd.hpp"

namespace hybridserve {

// One value of a JSON file from the outside, together with where it stands, so
// that every complaint names file and field ("tokenizer.json: model.merges[3]:
// expected a string"). Errors are InvalidArgument.
//
// A view borrows from the JsonDocument it came from. Thread-compatible.
class JsonView {
 public:
  struct Member;

  JsonView(const nlohmann::json& value, std::string path)
      : value_(&value), path_(std::move(path)) {}

  // Where the value stands: "tokenizer.json: model.vocab".
  const std::string& path() const { return path_; }

  bool is_null() const;
  bool is_zero() const;  // A number equal to 0.
  bool is_string() const;
  bool is_object() const;
  bool is_array() const;

  // InvalidArgument "PATH: message".
  absl::Status Error(absl::string_view message) const;

  // The value itself; an error if it has another type, or for Integer() if it
  // is outside [min, max].
  absl::StatusOr<bool> Bool() const;
  absl::StatusOr<std::string> String() const;
  absl::StatusOr<int64_t> Integer(int64_t min, int64_t max) const;
  absl::StatusOr<std::vector<JsonView>> Elements() const;
  absl::StatusOr<std::vector<Member>> Members() const;

  // The member `key`; an error if this is no object or has no such member.
  absl::StatusOr<JsonView> Get(absl::string_view key) const;

  // The same, but nothing if the member is missing or null.
  absl::StatusOr<std::optional<JsonView>> Find(absl::string_view key) const;

  // The same, but a null if the member is missing.
  absl::StatusOr<JsonView> FindOrNull(absl::string_view key) const;

  // Find(), then the member's value; `fallback` if missing or null.
  absl::StatusOr<bool> BoolOr(absl::string_view key, bool fallback) const;
  absl::StatusOr<std::string> StringOr(absl::string_view key,
                                       absl::string_view fallback) const;

  // An error naming the first member that is not in `keys`.
  absl::Status CheckOnlyKeys(absl::Span<const absl::string_view> keys) const;

 private:
  absl::Status WrongType(absl::string_view expected) const;
  JsonView Child(absl::string_view key, const nlohmann::json& value) const;

  const nlohmann::json* value_;
  std::string path_;
};

struct JsonView::Member {
  absl::string_view key;
  JsonView value;
};

// A parsed file. Thread-compatible.
class JsonDocument {
 public:
  // What an honest file stays well below.
  static constexpr int64_t kMaxBytes = int64_t{64} << 20;
  static constexpr int64_t kMaxValues = 4'000'000;
  static constexpr int kMaxDepth = 64;

  // Parses `text`, the contents of `file`. InvalidArgument, naming the file
  // and the byte, if it is too large, too deep or not JSON in UTF-8.
  static absl::StatusOr<JsonDocument> Parse(absl::string_view file,
                                            absl::string_view text);

  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  // The outermost value.
  JsonView root() const;

 private:
  JsonDocument(absl::string_view file, std::unique_ptr<nlohmann::json> value);

  std::string file_;
  std::unique_ptr<nlohmann::json> value_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_TOKENIZER_JSON_VIEW_H_
