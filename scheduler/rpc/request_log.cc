#include "scheduler/rpc/request_log.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "scheduler/rpc/finish_reason_name.h"

namespace hybridserve {
namespace {

void Add(absl::string_view key, absl::string_view value, std::string& line) {
  if (value.empty()) return;
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isgraph(c) && c != '"' && c != '\\' && c != '=';
  });
  if (plain) {
    absl::StrAppend(&line, " ", key, "=", value);
  } else {
    absl::StrAppend(&line, " ", key, "=\"", absl::CEscape(value), "\"");
  }
}

void Add(absl::string_view key, absl::Duration time, std::string& line) {
  if (time == absl::InfiniteDuration()) return;  // It never came.
  absl::StrAppendFormat(&line, " %s=%.6f", key, absl::ToDoubleSeconds(time));
}

std::string Line(absl::string_view what, const CallIdentity& identity,
                 const RequestLabels& labels, const Usage& usage,
                 absl::string_view end_key, absl::string_view end) {
  std::string line = absl::StrCat("request ", what, ":");
  Add("request_id", identity.request_id, line);
  Add("model", labels.model, line);
  Add("tenant", labels.tenant, line);
  absl::StrAppend(&line, " prompt_tokens=", usage.prompt_tokens,
                  " completion_tokens=", usage.completion_tokens);
  Add("queue_s", usage.queue_time, line);
  Add("first_token_s", usage.first_token_time, line);
  Add("total_s", usage.total_time, line);
  if (usage.replays > 0) absl::StrAppend(&line, " replays=", usage.replays);
  Add(end_key, end, line);
  Add("trace_id", identity.trace_id, line);
  return line;
}

}  // namespace

std::string FinishedLine(const CallIdentity& identity,
                         const RequestLabels& labels, const Usage& usage,
                         FinishReason reason) {
  return Line("finished", identity, labels, usage, "finish_reason",
              Name(reason));
}

std::string FailedLine(const CallIdentity& identity,
                       const RequestLabels& labels, const Usage& usage,
                       absl::StatusCode code) {
  return Line("failed", identity, labels, usage, "code",
              absl::StatusCodeToString(code));
}

std::string RefusedLine(const CallIdentity& identity, absl::string_view tenant,
                        absl::StatusCode code) {
  std::string line = "request refused:";
  Add("request_id", identity.request_id, line);
  Add("tenant", tenant, line);
  Add("code", absl::StatusCodeToString(code), line);
  Add("trace_id", identity.trace_id, line);
  return line;
}

}  // namespace hybridserve
