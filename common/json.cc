#include "common/json.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

// Two passes: the first only looks, so that nothing is built from a text that
// will be refused; the second cannot fail. The library's parser keeps its own
// stack on the heap, and the depth is bounded before its recursive destructor
// could matter.

namespace hybridserve {
namespace {

using nlohmann::json;

// "[json.exception.parse_error.101] parse error at line 1, column 2: REASON;
// last read: 'BYTES'" -> "REASON".
std::string Reason(absl::string_view what) {
  for (const absl::string_view prefix : {"] ", "column "}) {
    const size_t at = what.find(prefix);
    if (at != absl::string_view::npos) what.remove_prefix(at + prefix.size());
  }
  const size_t colon = what.find(": ");
  if (colon != absl::string_view::npos) what.remove_prefix(colon + 2);
  return absl::CHexEscape(what.substr(0, what.find("; last read")));
}

// Walks a text and remembers the first thing wrong with it.
class Inspector final : public nlohmann::json_sax<json> {
 public:
  explicit Inspector(const JsonLimits& limits) : limits_(limits) {}

  const absl::Status& status() const { return status_; }

  bool null() override { return Count(); }
  bool boolean(bool) override { return Count(); }
  bool number_integer(number_integer_t) override { return Count(); }
  bool number_unsigned(number_unsigned_t) override { return Count(); }
  bool number_float(number_float_t, const string_t&) override {
    return Count();
  }
  bool string(string_t&) override { return Count(); }
  bool binary(binary_t&) override { return Count(); }

  bool start_object(size_t) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool start_array(size_t) override { return Enter(); }
  bool end_array() override { return Leave(); }

  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return Count();
    status_ = absl::InvalidArgumentError(absl::StrCat(
        "key \"", absl::Utf8SafeCHexEscape(name), "\" occurs twice"));
    return false;
  }

  bool parse_error(size_t position, const std::string&,
                   const json::exception& error) override {
    status_ = absl::InvalidArgumentError(absl::StrCat(
        "not valid JSON at byte ", position, ": ", Reason(error.what())));
    return false;
  }

 private:
  bool Count() {
    if (++num_values_ <= limits_.max_values) return true;
    status_ = absl::InvalidArgumentError(absl::StrCat(
        "JSON of more than ", limits_.max_values, " keys and values"));
    return false;
  }
  bool Enter() {
    if (keys_.size() < static_cast<size_t>(limits_.max_depth)) {
      keys_.emplace_back();
      return Count();
    }
    status_ = absl::InvalidArgumentError(
        absl::StrCat("JSON nested deeper than ", limits_.max_depth));
    return false;
  }
  bool Leave() {
    keys_.pop_back();
    return true;
  }

  const JsonLimits limits_;
  int64_t num_values_ = 0;
  absl::Status status_;
  // One an open array or object: the keys seen in it.
  std::vector<absl::flat_hash_set<std::string>> keys_;
};

}  // namespace

absl::StatusOr<json> ParseJson(absl::string_view text,
                               const JsonLimits& limits) {
  if (static_cast<int64_t>(text.size()) > limits.max_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "JSON of ", text.size(), " bytes; the limit is ", limits.max_bytes));
  }
  Inspector inspector(limits);
  const bool accepted = json::sax_parse(text.begin(), text.end(), &inspector);
  if (!inspector.status().ok()) return inspector.status();
  json value = json::parse(text.begin(), text.end(), /*cb=*/nullptr,
                           /*allow_exceptions=*/false);
  if (!accepted || value.is_discarded()) {
    return absl::InvalidArgumentError("not valid JSON");
  }
  return value;
}

}  // namespace hybridserve
