#include "client/openai/api_error.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/status_details.h"
#include "nlohmann/json.hpp"

namespace hybridserve::openai {
namespace {

using nlohmann::ordered_json;

constexpr char kInvalidRequest[] = "invalid_request_error";

// What the body calls a field of GenerateStreamRequest.
std::string BodyField(absl::string_view field, absl::string_view prompt_field) {
  if (field == "prompt" || field == "text" ||
      absl::StartsWith(field, "token_ids")) {
    return std::string{prompt_field};
  }
  if (absl::StartsWith(field, "stopping.conditions")) return "stop";
  for (const absl::string_view group : {"sampling.", "stopping."}) {
    if (absl::ConsumePrefix(&field, group)) break;
  }
  return std::string{field};
}

// HTTP status, type and code of what has no more to it than that.
void SetKind(absl::StatusCode code, bool may_retry, ApiError& error) {
  const auto set = [&error](int http_status, absl::string_view type,
                            std::optional<std::string> name) {
    error.http_status = http_status;
    error.type = std::string{type};
    error.code = std::move(name);
  };
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kFailedPrecondition:
      return set(400, kInvalidRequest, std::nullopt);
    case absl::StatusCode::kUnauthenticated:
      return set(401, kInvalidRequest, "invalid_api_key");
    case absl::StatusCode::kPermissionDenied:
      return set(403, kInvalidRequest, "permission_denied");
    case absl::StatusCode::kNotFound:
      return set(404, kInvalidRequest, "model_not_found");
    case absl::StatusCode::kAlreadyExists:
      return set(409, kInvalidRequest, std::nullopt);
    case absl::StatusCode::kResourceExhausted:
      // Full queues say when to come back; messages that are too large don't.
      if (!may_retry) return set(413, kInvalidRequest, "request_too_large");
      return set(429, "rate_limit_error", "rate_limit_exceeded");
    case absl::StatusCode::kUnimplemented:
      return set(501, "server_error", std::nullopt);
    case absl::StatusCode::kUnavailable:
      return set(503, "server_error", "unavailable");
    case absl::StatusCode::kAborted:
      error.retry = false;  // It may be what kills workers.
      return set(503, "server_error", "worker_lost");
    case absl::StatusCode::kCancelled:
      error.retry = false;  // Somebody wanted it to end.
      return set(503, "server_error", "cancelled");
    case absl::StatusCode::kDeadlineExceeded:
      return set(504, "server_error", "timeout");
    default:
      return set(500, "server_error", std::nullopt);
  }
}

}  // namespace

ApiError ToApiError(const absl::Status& status,
                    absl::string_view prompt_field) {
  ApiError error;
  const auto delay = RetryDelayOf(status);
  SetKind(status.code(), delay.has_value(), error);
  if (delay.has_value()) {
    const absl::Duration seconds = absl::Ceil(*delay, absl::Seconds(1));
    error.retry_after = std::max<int64_t>(1, absl::ToInt64Seconds(seconds));
  }
  absl::string_view message = status.message();
  if (const auto field = FieldOf(status); field.has_value()) {
    error.param = BodyField(*field, prompt_field);
    absl::ConsumePrefix(&message, absl::StrCat(*field, ": "));
    error.message = absl::StrCat(*error.param, ": ", message);
  } else {
    error.message = std::string{message};
  }
  return error;
}

ApiError HttpError(int http_status, absl::string_view message) {
  ApiError error;
  error.http_status = http_status;
  error.message = std::string{message};
  if (http_status < 500) error.type = kInvalidRequest;
  if (http_status == 404) error.code = "unknown_url";
  if (http_status == 413) error.code = "request_too_large";
  return error;
}

std::string ToBody(const ApiError& error) {
  ordered_json fields;
  fields["message"] = error.message;
  fields["type"] = error.type;
  fields["param"] = error.param.has_value() ? ordered_json(*error.param)
                                            : ordered_json(nullptr);
  fields["code"] = error.code.has_value() ? ordered_json(*error.code)
                                          : ordered_json(nullptr);
  return ordered_json{{"error", std::move(fields)}}.dump(
      -1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace hybridserve::openai
