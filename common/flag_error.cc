#include "common/flag_error.h"

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace hybridserve {

absl::Status WrongFlag(absl::string_view flag, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, ": ", why));
}

bool IsUsageError(const absl::Status& error) {
  absl::string_view name = error.message();
  absl::ConsumePrefix(&name, "--");
  name = name.substr(0, name.find(':'));
  return absl::IsInvalidArgument(error) &&
         absl::FindCommandLineFlag(name) != nullptr;
}

}  // namespace hybridserve
