#ifndef HYBRIDSERVE_COMMON_LOG_LEVEL_H_
#define HYBRIDSERVE_COMMON_LOG_LEVEL_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// Drops what is logged below --log_level, or below `fallback` where that is not
// set: "info", "warning" or "error". InvalidArgument names the flag. Of the
// whole process; call after flags are parsed and before threads log.
absl::Status ApplyLogLevel(absl::string_view fallback);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_LOG_LEVEL_H_
