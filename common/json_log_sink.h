#ifndef HYBRIDSERVE_COMMON_JSON_LOG_SINK_H_
#define HYBRIDSERVE_COMMON_JSON_LOG_SINK_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "glog/logging.h"

namespace hybridserve {

// One message of the log.
struct LogEntry {
  absl::Time time;
  absl::string_view severity;  // "INFO"
  absl::string_view file;      // Its last part.
  int line = 0;
  int64_t thread = 0;  // The kernel's id.
  absl::string_view message;
};

// One JSON object on one line, "\n" included: time (RFC 3339, UTC), severity,
// file, line, thread, message. Bytes of the message that are no UTF-8 become
// U+FFFD.
std::string ToJsonLine(const LogEntry& entry);

// Writes what is logged to a file descriptor as JSON, one write() a message, so
// that lines of one process never mix.
//
// Thread-safe.
class JsonLogSink final : public google::LogSink {
 public:
  // `fd` stays open.
  explicit JsonLogSink(int fd) : fd_(fd) {}

  void send(google::LogSeverity severity, const char* full_filename,
            const char* base_filename, int line,
            const google::LogMessageTime& time, const char* message,
            size_t message_len) override;

 private:
  const int fd_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_JSON_LOG_SINK_H_
