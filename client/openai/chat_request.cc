#include "client/openai/chat_request.h"

#include <cstdint>
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

constexpr int64_t kMaxTopLogprobs = 20;  // OpenAI's.

// "developer" is what newer models of OpenAI call "system".
absl::StatusOr<std::string> ReadRole(const std::string& field,
                                     const json& value) {
  ASSIGN_OR_RETURN(std::string role, ReadString(field, value));
  if (role == "developer") role = "system";
  if (role == "system" || role == "user" || role == "assistant") return role;
  return InvalidFieldError(
      field, "must be \"system\", \"developer\", \"user\" or \"assistant\"");
}

// A string, or a list of parts {"type": "text", "text": ...}, joined.
absl::StatusOr<std::string> ReadContent(const std::string& field,
                                        const json& value) {
  if (value.is_string()) return value.get<std::string>();
  absl::Status wrong = InvalidFieldError(
      field, "must be a string or a list of parts of type \"text\"");
  if (!value.is_array()) return wrong;
  std::string content;
  for (const json& part : value) {
    if (!part.is_object() || part.value("type", json()) != "text") return wrong;
    const auto text = part.find("text");
    if (text == part.end() || !text->is_string()) return wrong;
    content += text->get<std::string>();
  }
  return content;
}

absl::StatusOr<ChatMessage> ReadMessage(const std::string& field,
                                        const json& value) {
  if (!value.is_object()) return InvalidFieldError(field, "must be an object");
  std::optional<std::string> role;
  std::optional<std::string> content;
  for (const auto& [name, item] : value.items()) {
    if (item.is_null()) continue;
    const std::string path = absl::StrCat(field, ".", name);
    if (name == "role") {
      ASSIGN_OR_RETURN(role, ReadRole(path, item));
    } else if (name == "content") {
      ASSIGN_OR_RETURN(content, ReadContent(path, item));
    } else if (name == "name") {
      // Tells speakers of one role apart; templates have no place for it.
      RETURN_IF_ERROR(ReadString(path, item).status());
    } else if (name == "tool_calls" || name == "annotations") {
      if (item != json::array()) {
        return InvalidFieldError(path, "is not supported");
      }
    } else if (name == "refusal" || name == "audio" ||
               name == "function_call") {
      return InvalidFieldError(path, "is not supported");
    } else {
      return UnknownField(path);
    }
  }
  if (!role.has_value()) {
    return InvalidFieldError(absl::StrCat(field, ".role"), "is missing");
  }
  if (!content.has_value()) {
    return InvalidFieldError(absl::StrCat(field, ".content"), "is missing");
  }
  return ChatMessage{*std::move(role), *std::move(content)};
}

absl::StatusOr<std::vector<ChatMessage>> ReadMessages(const json& value) {
  if (!value.is_array() || value.empty()) {
    return InvalidFieldError("messages", "must be a list, not empty");
  }
  std::vector<ChatMessage> messages;
  for (size_t i = 0; i < value.size(); ++i) {
    ASSIGN_OR_RETURN(messages.emplace_back(),
                     ReadMessage(absl::StrCat("messages[", i, "]"), value[i]));
  }
  return messages;
}

// Fields of OpenAI's that ask for more than a text, where they ask for nothing.
bool AsksForNothing(absl::string_view field, const json& value) {
  if (field == "tools" || field == "functions") return value.empty();
  if (field == "tool_choice" || field == "function_call") {
    return value == "none";
  }
  if (field == "response_format") {
    return value == json::object({{"type", "text"}});
  }
  if (field == "modalities") return value == json::array({"text"});
  if (field == "store") return value == false;
  if (field == "metadata") return value == json::object();
  if (field == "service_tier") return value == "auto" || value == "default";
  // Without tools there are no calls.
  if (field == "parallel_tool_calls") return value.is_boolean();
  return false;
}

bool IsOtherOpenAiField(absl::string_view field) {
  for (const absl::string_view other :
       {"tools", "functions", "tool_choice", "function_call", "response_format",
        "modalities", "audio", "prediction", "store", "metadata", "moderation",
        "service_tier", "parallel_tool_calls", "reasoning_effort", "verbosity",
        "web_search_options"}) {
    if (field == other) return true;
  }
  return false;
}

// Of whom a request is, and what OpenAI is to keep of it: no text depends on
// that.
bool IsIgnoredText(absl::string_view field) {
  return field == "safety_identifier" || field == "prompt_cache_key" ||
         field == "prompt_cache_retention";
}

struct OwnFields {
  std::optional<int64_t> max_completion_tokens;
  std::optional<int64_t> top_logprobs;
};

absl::Status ReadField(const std::string& field, const json& value,
                       OwnFields& own, ChatRequest& request) {
  if (field == "messages") {
    ASSIGN_OR_RETURN(request.messages, ReadMessages(value));
  } else if (field == "max_completion_tokens") {
    ASSIGN_OR_RETURN(own.max_completion_tokens,
                     ReadInt(field, value, std::numeric_limits<int64_t>::min(),
                             std::numeric_limits<int64_t>::max()));
  } else if (field == "logprobs") {
    ASSIGN_OR_RETURN(request.log_probs, ReadBool(field, value));
  } else if (field == "top_logprobs") {
    ASSIGN_OR_RETURN(own.top_logprobs,
                     ReadInt(field, value, 0, kMaxTopLogprobs));
  } else if (IsIgnoredText(field)) {
    return ReadString(field, value).status();
  } else if (field == "prompt_cache_options") {
    if (!value.is_object()) {
      return InvalidFieldError(field, "must be an object");
    }
  } else if (IsOtherOpenAiField(field)) {
    if (!AsksForNothing(field, value)) {
      return InvalidFieldError(field, "is not supported");
    }
  } else {
    return UnknownField(field);
  }
  return absl::OkStatus();
}

absl::Status Finish(const OwnFields& own, ChatRequest& request) {
  if (request.messages.empty()) {
    return InvalidFieldError("messages", "is missing");
  }
  GenerationOptions& options = request.fields.options;
  if (own.max_completion_tokens.has_value()) {
    if (options.max_tokens.has_value()) {
      return InvalidFieldError("max_tokens",
                               "does not go with max_completion_tokens");
    }
    options.max_tokens = own.max_completion_tokens;
  }
  options.log_probs = request.log_probs;
  options.top_log_probs = own.top_logprobs.value_or(0);
  request.top_log_probs = options.top_log_probs > 0;
  if (own.top_logprobs.has_value() && !request.log_probs) {
    return InvalidFieldError("top_logprobs", "goes with \"logprobs\": true");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ChatRequest> ParseChatRequest(absl::string_view body) {
  ChatRequest request;
  OwnFields own;
  RETURN_IF_ERROR(ReadRequest(body, request.fields,
                              [&](const std::string& field, const json& value) {
                                return ReadField(field, value, own, request);
                              }));
  RETURN_IF_ERROR(Finish(own, request));
  return request;
}

}  // namespace hybridserve::openai
