#ifndef HYBRIDSERVE_COMMON_FLAG_ERROR_H_
#define HYBRIDSERVE_COMMON_FLAG_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// InvalidArgument "--FLAG: WHY": what is wrong with a flag's value, for the
// person who gave it. `flag` comes without dashes.
absl::Status WrongFlag(absl::string_view flag, absl::string_view why);

// The flag of this program that a message begins with, without dashes; a part
// of `message`, or empty: none.
absl::string_view FlagIn(absl::string_view message);

// Whether an error is about a flag's value: InvalidArgument, and its message
// begins with the name of one that this program has. The program then ends as
// after wrong usage, though it took a look at the machine or the model to know.
bool IsUsageError(const absl::Status& error);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_FLAG_ERROR_H_
