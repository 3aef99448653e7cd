#ifndef HYBRIDSERVE_CLIENT_OPENAI_CHAT_TEMPLATES_H_
#define HYBRIDSERVE_CLIENT_OPENAI_CHAT_TEMPLATES_H_

#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/openai/chat_template.h"

namespace hybridserve::openai {

// Which model reads conversations how. Thread-safe.
class ChatTemplates {
 public:
  // Of the flag --chat_template: a list, separated by commas, of MODEL=FILE for
  // one model, and at most one FILE for all others. Empty: of no model.
  // InvalidArgument, naming the flag, for what is no such list and for bad
  // files.
  static absl::StatusOr<ChatTemplates> Read(absl::string_view flag);

  // Null: it has none. Good as long as this.
  const ChatTemplate* Find(absl::string_view model) const;

 private:
  // By model; of all others: "".
  std::map<std::string, ChatTemplate, std::less<>> templates_;
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_CHAT_TEMPLATES_H_
