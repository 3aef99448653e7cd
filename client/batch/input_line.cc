#include "client/batch/input_line.h"

#include <limits>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/json.h"
#include "common/numbers_by_id.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

using nlohmann::json;

absl::Status WrongField(absl::string_view field, absl::string_view want) {
  return absl::InvalidArgumentError(
      absl::StrCat("field \"", field, "\": must be ", want));
}

// An integer field that fits Int; negative ones only where Int has a sign.
template <typename Int>
absl::StatusOr<Int> ReadInt(absl::string_view field, const json& value) {
  const absl::Status wrong = WrongField(field, "an integer in range");
  if (value.is_number_unsigned()) {
    const uint64_t number = value.get<uint64_t>();
    constexpr auto kMax =
        static_cast<uint64_t>(std::numeric_limits<Int>::max());
    return number <= kMax ? absl::StatusOr<Int>(static_cast<Int>(number))
                          : wrong;
  }
  if constexpr (std::is_signed_v<Int>) {
    if (value.is_number_integer()) {
      const int64_t number = value.get<int64_t>();
      if (number >= std::numeric_limits<Int>::min()) {
        return static_cast<Int>(number);
      }
    }
  }
  return wrong;
}

absl::Status ReadTokenIds(const json& value, std::vector<int32_t>& ids) {
  if (!value.is_array() || value.empty()) {
    return WrongField("token_ids", "a non-empty list of integers");
  }
  ids.reserve(value.size());
  for (const json& id : value) {
    ASSIGN_OR_RETURN(const int32_t read, ReadInt<int32_t>("token_ids", id));
    ids.push_back(read);
  }
  return absl::OkStatus();
}

absl::Status ReadStop(const json& value, std::vector<std::string>& stop) {
  if (value.is_string()) {
    stop.push_back(value.get<std::string>());
    return absl::OkStatus();
  }
  if (!value.is_array()) {
    return WrongField("stop", "a string or a list of them");
  }
  for (const json& text : value) {
    if (!text.is_string()) {
      return WrongField("stop", "a string or a list of them");
    }
    stop.push_back(text.get<std::string>());
  }
  return absl::OkStatus();
}

absl::Status ReadNumber(absl::string_view field, const json& value,
                        std::optional<double>& number) {
  if (!value.is_number()) return WrongField(field, "a number");
  number = value.get<double>();
  return absl::OkStatus();
}

absl::Status ReadLogitBias(const json& value,
                           std::map<uint32_t, double>& biases) {
  auto numbers = NumbersById(value);
  if (!numbers.has_value()) {
    return WrongField("logit_bias", "an object of numbers by token id");
  }
  biases = *std::move(numbers);
  return absl::OkStatus();
}

absl::Status ReadField(const std::string& field, const json& value,
                       InputLine& line) {
  LineOptions& options = line.options;
  if (field == "id") return absl::OkStatus();
  if (field == "prompt") {
    if (!value.is_string()) return WrongField(field, "a string");
    line.prompt = value.get<std::string>();
  } else if (field == "token_ids") {
    return ReadTokenIds(value, line.token_ids);
  } else if (field == "max_tokens") {
    ASSIGN_OR_RETURN(options.max_tokens, ReadInt<int64_t>(field, value));
  } else if (field == "min_tokens") {
    ASSIGN_OR_RETURN(options.min_tokens, ReadInt<int64_t>(field, value));
  } else if (field == "priority") {
    ASSIGN_OR_RETURN(options.priority, ReadInt<int64_t>(field, value));
  } else if (field == "top_k") {
    ASSIGN_OR_RETURN(options.top_k, ReadInt<int64_t>(field, value));
  } else if (field == "seed") {
    ASSIGN_OR_RETURN(options.seed, ReadInt<uint64_t>(field, value));
  } else if (field == "temperature") {
    return ReadNumber(field, value, options.temperature);
  } else if (field == "top_p") {
    return ReadNumber(field, value, options.top_p);
  } else if (field == "presence_penalty") {
    return ReadNumber(field, value, options.presence_penalty);
  } else if (field == "frequency_penalty") {
    return ReadNumber(field, value, options.frequency_penalty);
  } else if (field == "repetition_penalty") {
    return ReadNumber(field, value, options.repetition_penalty);
  } else if (field == "logit_bias") {
    return ReadLogitBias(value, options.logit_bias);
  } else if (field == "stop") {
    return ReadStop(value, options.stop);
  } else if (field == "ignore_eos") {
    if (!value.is_boolean()) return WrongField(field, "true or false");
    options.ignore_eos = value.get<bool>();
  } else if (field == "model") {
    if (!value.is_string()) return WrongField(field, "a string");
    options.model = value.get<std::string>();
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("field \"", field, "\": unknown"));
  }
  return absl::OkStatus();
}

absl::Status ReadLine(absl::string_view text, InputLine& line) {
  ASSIGN_OR_RETURN(const json object, ParseJson(text));
  if (!object.is_object()) {
    return absl::InvalidArgumentError("must be a JSON object");
  }
  if (const auto id = object.find("id"); id != object.end()) line.id = *id;
  for (const auto& [field, value] : object.items()) {
    RETURN_IF_ERROR(ReadField(field, value, line));
  }
  if (line.prompt.has_value() == object.contains("token_ids")) {
    return absl::InvalidArgumentError(
        "needs one of \"prompt\" and \"token_ids\"");
  }
  return absl::OkStatus();
}

}  // namespace

InputLine ParseInputLine(int64_t number, absl::string_view text) {
  InputLine line;
  line.number = number;
  line.status = ReadLine(text, line);
  return line;
}

}  // namespace hybridserve
