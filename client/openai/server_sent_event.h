#ifndef HYBRIDSERVE_CLIENT_OPENAI_SERVER_SENT_EVENT_H_
#define HYBRIDSERVE_CLIENT_OPENAI_SERVER_SENT_EVENT_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

// The lines of text/event-stream (WHATWG HTML, "Server-sent events").

namespace hybridserve::openai {

inline constexpr char kEventStream[] = "text/event-stream";

// The last event of OpenAI's streams.
inline constexpr absl::string_view kDoneEvent = "data: [DONE]\n\n";

// A comment, which readers skip: for a connection that would seem dead.
inline constexpr absl::string_view kPing = ": ping\n\n";

// An event with one line of data.
inline std::string ServerSentEvent(absl::string_view line) {
  return absl::StrCat("data: ", line, "\n\n");
}

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_SERVER_SENT_EVENT_H_
