#include "client/openai/completion_request.h"

#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/openai/request_field.h"
#include "common/status_details.h"
#include "common/status_macros.h"

namespace hybridserve::openai {
namespace {

using nlohmann::json;

constexpr int64_t kMaxPrompts = 1024;
constexpr int64_t kMaxLogprobs = 5;  // OpenAI's.
constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();

absl::StatusOr<std::vector<Prompt>> ReadPrompts(const json& value) {
  std::vector<Prompt> prompts;
  if (value.is_string()) {
    prompts.emplace_back(value.get<std::string>());
    return prompts;
  }
  if (!value.is_array() || value.empty()) {
    return InvalidFieldError(
        "prompt",
        "must be a string, a list of token ids, or a list of either, not "
        "empty");
  }
  if (value.front().is_number()) {
    ASSIGN_OR_RETURN(prompts.emplace_back(), ReadTokenIds("prompt", value));
    return prompts;
  }
  if (static_cast<int64_t>(value.size()) > kMaxPrompts) {
    return InvalidFieldError(
        "prompt", absl::StrCat("has more than ", kMaxPrompts, " entries"));
  }
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i].is_string()) {
      prompts.emplace_back(value[i].get<std::string>());
    } else {
      const std::string entry = absl::StrCat("prompt[", i, "]");
      ASSIGN_OR_RETURN(prompts.emplace_back(), ReadTokenIds(entry, value[i]));
    }
  }
  return prompts;
}

// What is only here, beside the fields that all have in common.
struct OwnFields {
  std::optional<int64_t> best_of;
  std::optional<int64_t> logprobs;
};

absl::Status ReadField(const std::string& field, const json& value,
                       OwnFields& own, CompletionRequest& request) {
  if (field == "prompt") {
    ASSIGN_OR_RETURN(request.prompts, ReadPrompts(value));
  } else if (field == "echo") {
    ASSIGN_OR_RETURN(request.echo, ReadBool(field, value));
  } else if (field == "logprobs") {
    ASSIGN_OR_RETURN(own.logprobs, ReadInt(field, value, 0, kMaxLogprobs));
  } else if (field == "best_of") {
    ASSIGN_OR_RETURN(own.best_of, ReadInt(field, value, 1, kMaxInt64));
  } else if (field == "suffix") {
    ASSIGN_OR_RETURN(const std::string suffix, ReadString(field, value));
    if (!suffix.empty()) return InvalidFieldError(field, "is not supported");
  } else {
    return UnknownField(field);
  }
  return absl::OkStatus();
}

absl::Status Finish(const OwnFields& own, CompletionRequest& request) {
  if (request.prompts.empty()) {
    return InvalidFieldError("prompt", "is missing");
  }
  if (own.best_of.value_or(request.fields.choices_of_prompt) !=
      request.fields.choices_of_prompt) {
    return InvalidFieldError("best_of", "is not supported, other than n");
  }
  if (!own.logprobs.has_value()) return absl::OkStatus();
  request.log_probs = true;
  request.top_log_probs = *own.logprobs > 0;
  request.fields.options.log_probs = true;
  request.fields.options.top_log_probs = *own.logprobs;
  if (request.echo && *own.logprobs > 1) {
    return InvalidFieldError("logprobs", "with echo is at most 1");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CompletionRequest> ParseCompletionRequest(
    absl::string_view body) {
  CompletionRequest request;
  request.fields.options.max_tokens = 16;  // OpenAI's default.
  OwnFields own;
  RETURN_IF_ERROR(ReadRequest(body, request.fields,
                              [&](const std::string& field, const json& value) {
                                return ReadField(field, value, own, request);
                              }));
  RETURN_IF_ERROR(Finish(own, request));
  return request;
}

}  // namespace hybridserve::openai
