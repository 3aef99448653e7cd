#include "common/flag_error.h"

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace hybridserve {

absl::Status WrongFlag(absl::string_view flag, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, ": ", why));
}

absl::string_view FlagIn(absl::string_view message) {
  absl::ConsumePrefix(&message, "--");
  const absl::string_view name = message.substr(0, message.find(':'));
  return absl::FindCommandLineFlag(name) == nullptr ? "" : name;
}

bool IsUsageError(const absl::Status& error) {
  return absl::IsInvalidArgument(error) && !FlagIn(error.message()).empty();
}

}  // namespace hybridserve
