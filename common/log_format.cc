#include "common/log_format.h"

#include <unistd.h>

#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "common/json_log_sink.h"
#include "glog/logging.h"

ABSL_FLAG(std::string, log_format, "text",
          "How to log on stderr: text, or json, one object a line.");

namespace hybridserve {

absl::Status ApplyLogFormat() {
  const std::string format = absl::GetFlag(FLAGS_log_format);
  if (format == "text") {
    FLAGS_logtostderr = true;
    return absl::OkStatus();
  }
  if (format != "json") {
    return absl::InvalidArgumentError(absl::StrCat(
        "--log_format: \"", format, "\" is neither text nor json"));
  }
  // The sink writes; glog itself neither to stderr nor to files.
  FLAGS_logtostderr = false;
  FLAGS_stderrthreshold = google::NUM_SEVERITIES;
  for (int severity = 0; severity < google::NUM_SEVERITIES; ++severity) {
    google::SetLogDestination(severity, "");
  }
  // Threads log until the very end.
  static auto* const sink = new JsonLogSink(STDERR_FILENO);
  google::AddLogSink(sink);
  return absl::OkStatus();
}

}  // namespace hybridserve
