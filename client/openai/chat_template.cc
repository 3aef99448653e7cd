#include "client/openai/chat_template.h"

#include <iostream>
#include <sstream>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/flag_error.h"
#include "common/flag_file.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "ctemplate/template.h"
#include "ctemplate/template_dictionary.h"

namespace hybridserve::openai {
namespace {

// What no template says of its own accord.
constexpr char kProbe[] = "\x01probe\x01";

// The library says on std::cerr, and nowhere else, what is wrong.
class CerrCapture {
 public:
  // `text` gets what is written while this lives.
  explicit CerrCapture(std::string& text)
      : text_(text), before_(std::cerr.rdbuf(stream_.rdbuf())) {}
  ~CerrCapture() {
    std::cerr.rdbuf(before_);
    text_ = stream_.str();
  }
  CerrCapture(const CerrCapture&) = delete;
  CerrCapture& operator=(const CerrCapture&) = delete;

 private:
  std::string& text_;
  std::ostringstream stream_;
  std::streambuf* const before_;
};

}  // namespace

ChatTemplate::ChatTemplate(std::unique_ptr<ctemplate::Template> parsed)
    : template_(std::move(parsed)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

absl::StatusOr<ChatTemplate> ChatTemplate::Parse(absl::string_view text) {
  absl::ConsumeSuffix(&text, "\n");
  std::string complaint;
  std::unique_ptr<ctemplate::Template> parsed;
  {
    const CerrCapture capture(complaint);
    parsed.reset(ctemplate::Template::StringToTemplate(
        text.data(), text.size(), ctemplate::DO_NOT_STRIP));
  }
  if (parsed == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "is no template: ", absl::StripAsciiWhitespace(complaint)));
  }
  ChatTemplate result(std::move(parsed));
  for (const char* role : {"system", "user", "assistant"}) {
    if (absl::StrContains(result.Expand({{role, kProbe}}), kProbe)) {
      result.roles_.insert(role);
    }
  }
  for (const char* role : {"user", "assistant"}) {
    if (result.roles_.count(role) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "does not show {{CONTENT}} of messages of role \"", role, "\""));
    }
  }
  return result;
}

absl::StatusOr<ChatTemplate> ChatTemplate::Read(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFlagFile("chat_template", path));
  absl::StatusOr<ChatTemplate> result = Parse(text);
  if (result.ok()) return result;
  return WrongFlag("chat_template",
                   absl::StrCat(path, ": ", result.status().message()));
}

absl::StatusOr<std::string> ChatTemplate::Render(
    const std::vector<ChatMessage>& messages) const {
  for (size_t i = 0; i < messages.size(); ++i) {
    if (roles_.count(messages[i].role) == 0) {
      return InvalidFieldError(
          absl::StrCat("messages[", i, "].role"),
          absl::StrCat("the model's chat template has no place for \"",
                       messages[i].role, "\""));
    }
  }
  return Expand(messages);
}

std::string ChatTemplate::Expand(
    const std::vector<ChatMessage>& messages) const {
  ctemplate::TemplateDictionary conversation("conversation");
  const auto is_system = [](const ChatMessage& m) {
    return m.role == "system";
  };
  if (absl::c_none_of(messages, is_system)) {
    conversation.ShowSection("NO_SYSTEM");
  }
  for (const ChatMessage& message : messages) {
    ctemplate::TemplateDictionary& shown =
        *conversation.AddSectionDictionary("MESSAGES");
    shown.SetValue("ROLE", message.role);
    shown.SetValue("CONTENT", message.content);
    shown.ShowSection(absl::AsciiStrToUpper(message.role));
  }
  std::string prompt;
  template_->Expand(&prompt, &conversation);
  return prompt;
}

}  // namespace hybridserve::openai
