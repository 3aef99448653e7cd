#ifndef HYBRIDSERVE_CLIENT_OPENAI_CHAT_MESSAGE_H_
#define HYBRIDSERVE_CLIENT_OPENAI_CHAT_MESSAGE_H_

#include <string>

namespace hybridserve::openai {

// What somebody said in a conversation.
struct ChatMessage {
  std::string role;  // "system", "user" or "assistant".
  std::string content;
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_CHAT_MESSAGE_H_
