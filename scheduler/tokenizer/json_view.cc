#include "scheduler/tokenizer/json_view.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"

namespace hybridserve {
namespace {

using Json = nlohmann::json;

// Keys come from outside: shown short and escaped.
std::string Printable(absl::string_view key) {
  constexpr size_t kMaxShown = 64;
  if (key.size() <= kMaxShown) return absl::CHexEscape(key);
  return absl::StrCat(absl::CHexEscape(key.substr(0, kMaxShown)), "...");
}

// Builds the tree, but gives up beyond the limits. The library's builder calls
// this class's members, which hide the base's, by static dispatch.
class LimitedBuilder : public nlohmann::detail::json_sax_dom_parser<Json> {
 public:
  using Base = nlohmann::detail::json_sax_dom_parser<Json>;

  explicit LimitedBuilder(Json& root)
      : Base(root, /*allow_exceptions_=*/false) {}

  // Empty while all is well.
  const std::string& error() const { return error_; }

  bool null() { return Count() && Base::null(); }
  bool boolean(bool value) { return Count() && Base::boolean(value); }
  bool number_integer(number_integer_t value) {
    return Count() && Base::number_integer(value);
  }
  bool number_unsigned(number_unsigned_t value) {
    return Count() && Base::number_unsigned(value);
  }
  bool number_float(number_float_t value, const string_t& text) {
    return Count() && Base::number_float(value, text);
  }
  bool string(string_t& value) { return Count() && Base::string(value); }
  bool key(string_t& value) { return Count() && Base::key(value); }
  // The size is unknown when a text is parsed: the base ignores it.
  bool start_object(std::size_t size) {
    return Enter() && Base::start_object(size);
  }
  bool end_object() { return Leave() && Base::end_object(); }
  bool start_array(std::size_t size) {
    return Enter() && Base::start_array(size);
  }
  bool end_array() { return Leave() && Base::end_array(); }

  template <typename Exception>
  bool parse_error(std::size_t position, const std::string& /*last_token*/,
                   const Exception& /*exception*/) {
    return Fail(absl::StrCat("not valid JSON at byte ", position));
  }

 private:
  bool Fail(std::string error) {
    if (error_.empty()) error_ = std::move(error);
    return false;
  }
  bool Count() {
    if (++num_values_ <= JsonDocument::kMaxValues) return true;
    return Fail(
        absl::StrCat("more than ", JsonDocument::kMaxValues, " JSON values"));
  }
  bool Enter() {
    if (++depth_ > JsonDocument::kMaxDepth) {
      return Fail(absl::StrCat("JSON nested deeper than ",
                               JsonDocument::kMaxDepth, " levels"));
    }
    return Count();
  }
  bool Leave() {
    --depth_;
    return true;
  }

  int64_t num_values_ = 0;
  int depth_ = 0;
  std::string error_;
};

}  // namespace

bool JsonView::is_null() const { return value_->is_null(); }
bool JsonView::is_zero() const { return value_->is_number() && *value_ == 0; }
bool JsonView::is_string() const { return value_->is_string(); }
bool JsonView::is_object() const { return value_->is_object(); }
bool JsonView::is_array() const { return value_->is_array(); }

absl::Status JsonView::Error(absl::string_view message) const {
  return absl::InvalidArgumentError(absl::StrCat(path_, ": ", message));
}

absl::Status JsonView::WrongType(absl::string_view expected) const {
  return Error(
      absl::StrCat("expected ", expected, ", got ", value_->type_name()));
}

JsonView JsonView::Child(absl::string_view key, const Json& value) const {
  const bool at_root = !absl::StrContains(path_, ": ");
  return JsonView(value,
                  absl::StrCat(path_, at_root ? ": " : ".", Printable(key)));
}

absl::StatusOr<bool> JsonView::Bool() const {
  const auto* value = value_->get_ptr<const bool*>();
  if (value == nullptr) return WrongType("true or false");
  return *value;
}

absl::StatusOr<std::string> JsonView::String() const {
  const auto* value = value_->get_ptr<const std::string*>();
  if (value == nullptr) return WrongType("a string");
  return *value;
}

absl::StatusOr<int64_t> JsonView::Integer(int64_t min, int64_t max) const {
  if (!value_->is_number_integer()) return WrongType("an integer");
  // Unsigned is a kind of integer here; one beyond int64 must not wrap.
  const auto* big = value_->get_ptr<const Json::number_unsigned_t*>();
  const bool too_big =
      big != nullptr &&
      *big > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  const int64_t value =
      too_big ? 0 : *value_->get_ptr<const Json::number_integer_t*>();
  if (too_big || value < min || value > max) {
    return Error(absl::StrCat("outside [", min, ", ", max, "]"));
  }
  return value;
}

absl::StatusOr<std::vector<JsonView>> JsonView::Elements() const {
  const auto* array = value_->get_ptr<const Json::array_t*>();
  if (array == nullptr) return WrongType("an array");
  std::vector<JsonView> elements;
  elements.reserve(array->size());
  for (const Json& element : *array) {
    elements.emplace_back(element,
                          absl::StrCat(path_, "[", elements.size(), "]"));
  }
  return elements;
}

absl::StatusOr<std::vector<JsonView::Member>> JsonView::Members() const {
  const auto* object = value_->get_ptr<const Json::object_t*>();
  if (object == nullptr) return WrongType("an object");
  std::vector<Member> members;
  members.reserve(object->size());
  for (const auto& [key, value] : *object) {
    members.push_back({.key = key, .value = Child(key, value)});
  }
  return members;
}

absl::StatusOr<JsonView> JsonView::Get(absl::string_view key) const {
  const auto* object = value_->get_ptr<const Json::object_t*>();
  if (object == nullptr) return WrongType("an object");
  const auto it = object->find(std::string{key});
  if (it == object->end()) {
    return Error(absl::StrCat("\"", key, "\" is missing"));
  }
  return Child(key, it->second);
}

absl::StatusOr<std::optional<JsonView>> JsonView::Find(
    absl::string_view key) const {
  const auto* object = value_->get_ptr<const Json::object_t*>();
  if (object == nullptr) return WrongType("an object");
  const auto it = object->find(std::string{key});
  if (it == object->end() || it->second.is_null()) {
    return std::optional<JsonView>();
  }
  return std::optional<JsonView>(Child(key, it->second));
}

absl::StatusOr<JsonView> JsonView::FindOrNull(absl::string_view key) const {
  static const Json& null_value = *new Json(nullptr);
  ASSIGN_OR_RETURN(std::optional<JsonView> member, Find(key));
  return member.has_value() ? *std::move(member) : Child(key, null_value);
}

absl::StatusOr<bool> JsonView::BoolOr(absl::string_view key,
                                      bool fallback) const {
  ASSIGN_OR_RETURN(const std::optional<JsonView> member, Find(key));
  if (!member.has_value()) return fallback;
  return member->Bool();
}

absl::StatusOr<std::string> JsonView::StringOr(
    absl::string_view key, absl::string_view fallback) const {
  ASSIGN_OR_RETURN(const std::optional<JsonView> member, Find(key));
  if (!member.has_value()) return absl::StrCat(fallback);
  return member->String();
}

absl::Status JsonView::CheckOnlyKeys(
    absl::Span<const absl::string_view> keys) const {
  const auto* object = value_->get_ptr<const Json::object_t*>();
  if (object == nullptr) return WrongType("an object");
  for (const auto& [key, value] : *object) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      return Child(key, value).Error("unknown field");
    }
  }
  return absl::OkStatus();
}

JsonDocument::JsonDocument(absl::string_view file, std::unique_ptr<Json> value)
    : file_(file), value_(std::move(value)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

absl::StatusOr<JsonDocument> JsonDocument::Parse(absl::string_view file,
                                                 absl::string_view text) {
  if (static_cast<int64_t>(text.size()) > kMaxBytes) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": ", text.size(),
                                                   " bytes, more than the ",
                                                   kMaxBytes, " allowed"));
  }
  auto root = std::make_unique<Json>();
  LimitedBuilder builder(*root);
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": ", builder.error()));
  }
  return JsonDocument(file, std::move(root));
}

JsonView JsonDocument::root() const { return JsonView(*value_, file_); }

}  // namespace hybridserve
