#include "client/openai/chat_templates.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/flag_error.h"
#include "common/status_macros.h"

namespace hybridserve::openai {

absl::StatusOr<ChatTemplates> ChatTemplates::Read(absl::string_view flag) {
  ChatTemplates result;
  if (flag.empty()) return result;
  for (const absl::string_view entry : absl::StrSplit(flag, ',')) {
    const size_t equals = entry.find('=');
    const bool of_all = equals == absl::string_view::npos;
    const absl::string_view model = of_all ? "" : entry.substr(0, equals);
    const absl::string_view file = of_all ? entry : entry.substr(equals + 1);
    if (file.empty() || (model.empty() && !of_all)) {
      return WrongFlag(
          "chat_template",
          absl::StrCat("\"", entry, "\" is neither FILE nor MODEL=FILE"));
    }
    ASSIGN_OR_RETURN(ChatTemplate read, ChatTemplate::Read(std::string{file}));
    if (!result.templates_.try_emplace(std::string{model}, std::move(read))
             .second) {
      return WrongFlag("chat_template",
                       absl::StrCat("has two files for ",
                                    of_all ? "all other models" : model));
    }
  }
  return result;
}

const ChatTemplate* ChatTemplates::Find(absl::string_view model) const {
  auto found = templates_.find(model);
  if (found == templates_.end()) found = templates_.find("");
  return found == templates_.end() ? nullptr : &found->second;
}

}  // namespace hybridserve::openai
