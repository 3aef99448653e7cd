#ifndef HYBRIDSERVE_CLIENT_OPENAI_API_ERROR_H_
#define HYBRIDSERVE_CLIENT_OPENAI_API_ERROR_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hybridserve::openai {

// An error as OpenAI's API tells of it.
struct ApiError {
  int http_status = 500;
  std::string message;
  std::string type = "server_error";
  std::optional<std::string> param;  // The field of the body at fault.
  std::optional<std::string> code;
  // Whole seconds, for Retry-After.
  std::optional<int64_t> retry_after;
  // OpenAI's packages retry whatever is 409, 429 or 500 and more: this asks
  // them not to, where the same request may do the same harm again.
  bool retry = true;
};

// From a status of this program or of the server's, whose fields get the names
// that the body has for them. `prompt_field` is the body's for the prompt.
ApiError ToApiError(const absl::Status& status,
                    absl::string_view prompt_field = "prompt");

// For requests that came to no endpoint: 404, 405, 408, 413 and the like.
ApiError HttpError(int http_status, absl::string_view message);

// {"error": {"message", "type", "param", "code"}}
std::string ToBody(const ApiError& error);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_API_ERROR_H_
