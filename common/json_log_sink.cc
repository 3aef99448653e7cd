#include "common/json_log_sink.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "absl/time/clock.h"
#include "nlohmann/json.hpp"

namespace hybridserve {

std::string ToJsonLine(const LogEntry& entry) {
  using nlohmann::ordered_json;
  const ordered_json json = {
      {"time", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", entry.time,
                                absl::UTCTimeZone())},
      {"severity", std::string{entry.severity}},
      {"file", std::string{entry.file}},
      {"line", entry.line},
      {"thread", entry.thread},
      {"message", std::string{entry.message}}};
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}

void JsonLogSink::send(google::LogSeverity severity, const char*,
                       const char* base_filename, int line,
                       const google::LogMessageTime& time, const char* message,
                       size_t message_len) {
  const std::string text =
      ToJsonLine({.time = absl::FromTimeT(time.timestamp()) +
                          absl::Microseconds(time.usec()),
                  .severity = google::GetLogSeverityName(severity),
                  .file = base_filename,
                  .line = line,
                  .thread = syscall(SYS_gettid),
                  .message = absl::string_view(message, message_len)});
  absl::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // Nowhere is left to say so.
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace hybridserve
