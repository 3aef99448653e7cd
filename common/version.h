#ifndef HYBRIDSERVE_COMMON_VERSION_H_
#define HYBRIDSERVE_COMMON_VERSION_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hybridserve {

// The release, "MAJOR.MINOR.PATCH". Thread-safe.
absl::string_view Version();

// What tells this build of this program from every other: the linker's build
// id, or the SHA-256 of the program's file where it has none. Hex digits, 16 at
// least; the same in every run. Thread-safe.
const std::string& BuildId();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_VERSION_H_
