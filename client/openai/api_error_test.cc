#include "client/openai/api_error.h"

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/status_details.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hybridserve::openai {
namespace {

using nlohmann::json;

TEST(ApiErrorTest, EachStatusHasItsHttpStatus) {
  const struct {
    absl::StatusCode code;
    int http_status;
  } cases[] = {
      {absl::StatusCode::kInvalidArgument, 400},
      {absl::StatusCode::kOutOfRange, 400},
      {absl::StatusCode::kFailedPrecondition, 400},
      {absl::StatusCode::kUnauthenticated, 401},
      {absl::StatusCode::kPermissionDenied, 403},
      {absl::StatusCode::kNotFound, 404},
      {absl::StatusCode::kAlreadyExists, 409},
      {absl::StatusCode::kResourceExhausted, 413},
      {absl::StatusCode::kInternal, 500},
      {absl::StatusCode::kDataLoss, 500},
      {absl::StatusCode::kUnknown, 500},
      {absl::StatusCode::kUnimplemented, 501},
      {absl::StatusCode::kUnavailable, 503},
      {absl::StatusCode::kAborted, 503},
      {absl::StatusCode::kCancelled, 503},
      {absl::StatusCode::kDeadlineExceeded, 504},
  };
  for (const auto& [code, http_status] : cases) {
    const ApiError error = ToApiError(absl::Status(code, "why"));
    EXPECT_EQ(error.http_status, http_status) << code;
    EXPECT_EQ(error.message, "why");
    EXPECT_EQ(error.type == "invalid_request_error", http_status < 500);
    // Neither what may kill workers nor what somebody ended.
    EXPECT_EQ(error.retry, code != absl::StatusCode::kAborted &&
                               code != absl::StatusCode::kCancelled);
  }
}

TEST(ApiErrorTest, AFullQueueSaysWhenToComeBack) {
  const absl::Status full = absl::ResourceExhaustedError("full");
  ApiError error = ToApiError(WithRetryDelay(full, absl::Milliseconds(1200)));
  EXPECT_EQ(error.http_status, 429);
  EXPECT_EQ(error.code, "rate_limit_exceeded");
  EXPECT_EQ(error.retry_after, 2);
  error = ToApiError(WithRetryDelay(full, absl::ZeroDuration()));
  EXPECT_EQ(error.retry_after, 1);
  error = ToApiError(
      WithRetryDelay(absl::UnavailableError("no worker"), absl::Seconds(3)));
  EXPECT_EQ(error.http_status, 503);
  EXPECT_EQ(error.retry_after, 3);
}

TEST(ApiErrorTest, FieldsHaveTheBodysNames) {
  const struct {
    const char* field;
    const char* param;
  } cases[] = {
      {"prompt", "messages"},
      {"token_ids", "messages"},
      {"token_ids.ids[7]", "messages"},
      {"model", "model"},
      {"sampling.top_p", "top_p"},
      {"stopping.max_tokens", "max_tokens"},
      {"stopping.conditions[2].text", "stop"},
      {"stopping.conditions", "stop"},
      {"priority", "priority"},
      {"messages[0].role", "messages[0].role"},
  };
  for (const auto& [field, param] : cases) {
    const ApiError error =
        ToApiError(InvalidFieldError(field, "is wrong"), "messages");
    EXPECT_EQ(error.param, param);
    EXPECT_EQ(error.message, std::string(param) + ": is wrong");
  }
}

TEST(ApiErrorTest, BodiesHaveAllFourFields) {
  const json body =
      json::parse(ToBody(ToApiError(InvalidFieldError("n", "is wrong"))));
  EXPECT_EQ(body, json::parse(R"({"error":{"message":"n: is wrong",
      "type":"invalid_request_error","param":"n","code":null}})"));
  EXPECT_EQ(json::parse(ToBody(HttpError(404, "no such URL"))),
            json::parse(R"({"error":{"message":"no such URL",
      "type":"invalid_request_error","param":null,"code":"unknown_url"}})"));
}

TEST(ApiErrorTest, BodiesAreJsonWhateverTheMessage) {
  const std::string body =
      ToBody(ToApiError(absl::InternalError("\xff \"quoted\"\n")));
  EXPECT_EQ(json::parse(body)["error"]["message"], "\xef\xbf\xbd \"quoted\"\n");
}

}  // namespace
}  // namespace hybridserve::openai
