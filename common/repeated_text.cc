#include "common/repeated_text.h"

#include <string>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

bool AbslParseFlag(absl::string_view text, RepeatedText* flag,
                   std::string* /*error*/) {
  flag->values.clear();
  if (text.empty()) return true;
  flag->values = absl::StrSplit(text, RepeatedText::kSeparator);
  return true;
}

std::string AbslUnparseFlag(const RepeatedText& flag) {
  return absl::StrJoin(flag.values, std::string(1, RepeatedText::kSeparator));
}

}  // namespace hybridserve
