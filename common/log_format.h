#ifndef HYBRIDSERVE_COMMON_LOG_FORMAT_H_
#define HYBRIDSERVE_COMMON_LOG_FORMAT_H_

#include "absl/status/status.h"

namespace hybridserve {

// Logs to stderr as --log_format says: "text", glog's own, or "json", an object
// a line (json_log_sink.h). InvalidArgument names the flag. What a crash writes
// (crash_handler.h) is text in either. Of the whole process; call once, after
// flags are parsed and before threads log.
absl::Status ApplyLogFormat();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_LOG_FORMAT_H_
