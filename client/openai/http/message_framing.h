#ifndef HYBRIDSERVE_CLIENT_OPENAI_HTTP_MESSAGE_FRAMING_H_
#define HYBRIDSERVE_CLIENT_OPENAI_HTTP_MESSAGE_FRAMING_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "httplib.h"

namespace hybridserve::http {

// How a request says where its body ends.
struct MessageFraming {
  bool has_body = false;  // It may be empty.
  // If not 0 the request can't be served: this status, and why.
  int refusal = 0;
  std::string reason;
};

// By RFC 9112, section 6, and stricter: whatever two readers might read
// differently is refused. Content that is encoded, or of several parts, is
// refused as well, a POST without a length, and one of more than
// `max_body_bytes`.
MessageFraming ReadFraming(absl::string_view method,
                           const httplib::Headers& headers,
                           int64_t max_body_bytes);

}  // namespace hybridserve::http

#endif  // HYBRIDSERVE_CLIENT_OPENAI_HTTP_MESSAGE_FRAMING_H_
