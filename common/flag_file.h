#ifndef HYBRIDSERVE_COMMON_FLAG_FILE_H_
#define HYBRIDSERVE_COMMON_FLAG_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// The content of a small file that `flag` names. InvalidArgument, with flag,
// path and reason, if it can't be read.
absl::StatusOr<std::string> ReadFlagFile(absl::string_view flag,
                                         const std::string& path);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_FLAG_FILE_H_
