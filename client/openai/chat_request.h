#ifndef HYBRIDSERVE_CLIENT_OPENAI_CHAT_REQUEST_H_
#define HYBRIDSERVE_CLIENT_OPENAI_CHAT_REQUEST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/openai/chat_message.h"
#include "client/openai/generation_fields.h"

namespace hybridserve::openai {

// The body of POST /v1/chat/completions.
struct ChatRequest {
  GenerationFields fields;
  std::vector<ChatMessage> messages;  // At least one.
  // As CompletionRequest's.
  bool log_probs = false;
  bool top_log_probs = false;
};

// As ParseCompletionRequest. Text only: no tools, images or audio.
absl::StatusOr<ChatRequest> ParseChatRequest(absl::string_view body);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_CHAT_REQUEST_H_
