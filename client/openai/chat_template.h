#ifndef HYBRIDSERVE_CLIENT_OPENAI_CHAT_TEMPLATE_H_
#define HYBRIDSERVE_CLIENT_OPENAI_CHAT_TEMPLATE_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/openai/chat_message.h"

namespace ctemplate {
class Template;
}  // namespace ctemplate

namespace hybridserve::openai {

// How a model was taught to read a conversation, as a template of ctemplate's:
//
//   {{#MESSAGES}}<|{{ROLE}}|>{{CONTENT}}
//   {{/MESSAGES}}<|assistant|>
//
// For each message the section MESSAGES is shown, with ROLE and CONTENT, and in
// it one of the sections SYSTEM, USER and ASSISTANT. Where no message is of
// role system, the section NO_SYSTEM is shown. What a CONTENT holds is text,
// whatever it looks like. A line break at the template's end is not part of it.
// (Model folders have templates in Jinja2, which has no library here; the
// Python package's hybridserve-chat-template turns those into this.)
//
// Thread-safe.
class ChatTemplate {
 public:
  // InvalidArgument with the reason if it is none, or does not show what users
  // and assistants say. Not while others write to std::cerr.
  static absl::StatusOr<ChatTemplate> Parse(absl::string_view text);

  // Parse() on a file; errors name --chat_template and the path as well.
  static absl::StatusOr<ChatTemplate> Read(const std::string& path);

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // The prompt that makes the model answer. InvalidArgument naming the message
  // that the template has no place for.
  absl::StatusOr<std::string> Render(
      const std::vector<ChatMessage>& messages) const;

 private:
  explicit ChatTemplate(std::unique_ptr<ctemplate::Template> parsed);

  // Whatever the messages are.
  std::string Expand(const std::vector<ChatMessage>& messages) const;

  std::unique_ptr<ctemplate::Template> template_;
  std::set<std::string> roles_;  // Those whose messages are shown.
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_CHAT_TEMPLATE_H_
