#include "client/openai/generation_fields.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/openai/request_field.h"
#include "common/json.h"
#include "common/status_details.h"
#include "common/status_macros.h"

namespace hybridserve::openai {
namespace {

using nlohmann::json;

constexpr int64_t kMinInt64 = std::numeric_limits<int64_t>::min();
constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();
constexpr int64_t kMaxJsonValues = int64_t{1} << 20;

absl::Status ReadStreamOptions(const json& value, GenerationFields& fields) {
  if (!value.is_object()) {
    return InvalidFieldError("stream_options", "must be an object");
  }
  for (const auto& [name, option] : value.items()) {
    const std::string field = absl::StrCat("stream_options.", name);
    if (name == "include_usage") {
      ASSIGN_OR_RETURN(fields.include_usage, ReadBool(field, option));
    } else if (name == "include_obfuscation") {
      // Against eavesdroppers who count bytes. There is none of that here.
      ASSIGN_OR_RETURN(const bool wanted, ReadBool(field, option));
      if (wanted) return InvalidFieldError(field, "is not supported");
    } else {
      return UnknownField(field);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ReadAnyInt(absl::string_view field, const json& value) {
  return ReadInt(field, value, kMinInt64, kMaxInt64);
}

// Those that OpenAI has not.
absl::StatusOr<bool> ReadExtension(absl::string_view field, const json& value,
                                   GenerationOptions& options) {
  if (field == "top_k") {
    ASSIGN_OR_RETURN(options.top_k, ReadAnyInt(field, value));
  } else if (field == "repetition_penalty") {
    ASSIGN_OR_RETURN(options.repetition_penalty, ReadNumber(field, value));
  } else if (field == "min_tokens") {
    ASSIGN_OR_RETURN(options.min_tokens, ReadAnyInt(field, value));
  } else if (field == "priority") {
    ASSIGN_OR_RETURN(options.priority, ReadAnyInt(field, value));
  } else if (field == "ignore_eos") {
    ASSIGN_OR_RETURN(options.ignore_eos, ReadBool(field, value));
  } else {
    return false;
  }
  return true;
}

// Whether `field` is one of theirs, which is then read.
absl::StatusOr<bool> ReadGenerationField(absl::string_view field,
                                         const json& value,
                                         GenerationFields& fields) {
  GenerationOptions& options = fields.options;
  if (field == "model") {
    ASSIGN_OR_RETURN(options.model, ReadString(field, value));
  } else if (field == "n") {
    ASSIGN_OR_RETURN(fields.choices_of_prompt,
                     ReadInt(field, value, 1, kMaxChoicesOfPrompt));
  } else if (field == "temperature") {
    ASSIGN_OR_RETURN(options.temperature, ReadNumber(field, value));
  } else if (field == "top_p") {
    ASSIGN_OR_RETURN(options.top_p, ReadNumber(field, value));
  } else if (field == "max_tokens") {
    ASSIGN_OR_RETURN(options.max_tokens, ReadAnyInt(field, value));
  } else if (field == "seed") {
    ASSIGN_OR_RETURN(options.seed, ReadSeed(field, value));
  } else if (field == "stop") {
    ASSIGN_OR_RETURN(options.stop, ReadStrings(field, value));
  } else if (field == "stream") {
    ASSIGN_OR_RETURN(fields.stream, ReadBool(field, value));
  } else if (field == "stream_options") {
    RETURN_IF_ERROR(ReadStreamOptions(value, fields));
  } else if (field == "user") {
    ASSIGN_OR_RETURN(fields.user, ReadString(field, value));
  } else if (field == "presence_penalty") {
    ASSIGN_OR_RETURN(options.presence_penalty, ReadNumber(field, value));
  } else if (field == "frequency_penalty") {
    ASSIGN_OR_RETURN(options.frequency_penalty, ReadNumber(field, value));
  } else if (field == "logit_bias") {
    ASSIGN_OR_RETURN(options.logit_bias, ReadNumbersById(field, value));
  } else {
    return ReadExtension(field, value, options);
  }
  return true;
}

absl::Status CheckGenerationFields(const json& body,
                                   const GenerationFields& fields) {
  if (fields.options.model.empty()) {
    return InvalidFieldError("model", "is missing: name one of GET /v1/models");
  }
  const auto options = body.find("stream_options");
  if (options != body.end() && !options->is_null() && !fields.stream) {
    return InvalidFieldError("stream_options", "goes with \"stream\": true");
  }
  return absl::OkStatus();
}

absl::StatusOr<json> ParseBody(absl::string_view body) {
  ASSIGN_OR_RETURN(json object,
                   ParseJson(body, {.max_values = kMaxJsonValues}));
  if (!object.is_object()) {
    return absl::InvalidArgumentError("the body must be a JSON object");
  }
  return object;
}

}  // namespace

absl::Status ReadRequest(absl::string_view body, GenerationFields& fields,
                         OwnFieldReader read_own) {
  ASSIGN_OR_RETURN(const json object, ParseBody(body));
  for (const auto& [field, value] : object.items()) {
    if (value.is_null()) continue;
    ASSIGN_OR_RETURN(const bool common,
                     ReadGenerationField(field, value, fields));
    if (!common) RETURN_IF_ERROR(read_own(field, value));
  }
  return CheckGenerationFields(object, fields);
}

absl::Status UnknownField(absl::string_view field) {
  return InvalidFieldError(field, "is unknown");
}

}  // namespace hybridserve::openai
