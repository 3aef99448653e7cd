#include "common/log_level.h"

#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

ABSL_FLAG(std::string, log_level, "",
          "What to log on stderr, at the least: info, warning or error. Empty: "
          "info of services, error of commands.");

namespace hybridserve {

absl::Status ApplyLogLevel(absl::string_view fallback) {
  const std::string given = absl::GetFlag(FLAGS_log_level);
  const absl::string_view level = given.empty() ? fallback : given;
  if (level == "info") {
    FLAGS_minloglevel = google::GLOG_INFO;
  } else if (level == "warning") {
    FLAGS_minloglevel = google::GLOG_WARNING;
  } else if (level == "error") {
    FLAGS_minloglevel = google::GLOG_ERROR;
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        "--log_level: \"", level, "\" is not info, warning or error"));
  }
  return absl::OkStatus();
}

}  // namespace hybridserve
