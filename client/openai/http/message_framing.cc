#include "client/openai/http/message_framing.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hybridserve::http {
namespace {

MessageFraming Refuse(int status, std::string reason) {
  return {.has_body = true, .refusal = status, .reason = std::move(reason)};
}

bool IsNumber(absl::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// RFC 9110, section 5.6.2. "Content-Length : 5" has a name that is none.
bool IsToken(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("!#$%&'*+-.^_`|~", c);
  });
}

// The only value of a header, or "" if there is none or there are several.
std::string OnlyValue(const httplib::Headers& headers, const char* name) {
  const auto [begin, end] = headers.equal_range(name);
  return begin != end && std::next(begin) == end ? begin->second : "";
}

}  // namespace

MessageFraming ReadFraming(absl::string_view method,
                           const httplib::Headers& headers,
                           int64_t max_body_bytes) {
  for (const auto& [name, value] : headers) {
    if (!IsToken(name)) return Refuse(400, "a header has a bad name");
  }
  const bool coded = headers.count("Transfer-Encoding") > 0;
  const bool counted = headers.count("Content-Length") > 0;
  if (coded && counted) {
    return Refuse(400, "Transfer-Encoding does not go with Content-Length");
  }
  if (coded && !absl::EqualsIgnoreCase(OnlyValue(headers, "Transfer-Encoding"),
                                       "chunked")) {
    return Refuse(501, "Transfer-Encoding must be chunked");
  }
  if (counted) {
    const std::string length = OnlyValue(headers, "Content-Length");
    if (!IsNumber(length)) {
      return Refuse(400, "Content-Length must be one number");
    }
    int64_t bytes = 0;
    if (!absl::SimpleAtoi(length, &bytes) || bytes > max_body_bytes) {
      return Refuse(413, absl::StrCat("the body is larger than ",
                                      max_body_bytes, " bytes"));
    }
  }
  if (method == "POST") {
    if (!coded && !counted) return Refuse(411, "Content-Length is missing");
    const std::string encoding = OnlyValue(headers, "Content-Encoding");
    if (headers.count("Content-Encoding") > 0 &&
        !absl::EqualsIgnoreCase(encoding, "identity")) {
      return Refuse(415, "Content-Encoding is not supported");
    }
    if (absl::StartsWithIgnoreCase(OnlyValue(headers, "Content-Type"),
                                   "multipart/")) {
      return Refuse(415, "Content-Type must be application/json");
    }
  }
  return {.has_body = coded || counted};
}

}  // namespace hybridserve::http
