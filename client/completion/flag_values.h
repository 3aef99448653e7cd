#ifndef HYBRIDSERVE_CLIENT_COMPLETION_FLAG_VALUES_H_
#define HYBRIDSERVE_CLIENT_COMPLETION_FLAG_VALUES_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace hybridserve {

// What a flag may be given, as far as a shell can offer it.
struct FlagValues {
  enum class Kind {
    kAny,      // Nobody can guess.
    kFile,     // Or a folder on the way to one.
    kFolder,   //
    kChoice,   // One of `choices`, or where that is allowed, something else.
    kChoices,  // Several of them with commas between.
  };
  Kind kind = Kind::kAny;
  std::vector<absl::string_view> choices;
};

// Those of the `hybridserve` program's flag of that name, without dashes.
FlagValues ValuesOfFlag(absl::string_view name);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_COMPLETION_FLAG_VALUES_H_
