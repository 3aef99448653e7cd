#include "common/grpc_status.h"

#include <string>

#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::Optional;

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

TEST(GrpcStatusTest, OkStaysOk) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_THAT(FromGrpcStatus(grpc::Status::OK), IsOk());
}

TEST(GrpcStatusTest, EveryCodeSurvivesTheWayThereAndBack) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "why");
    const grpc::Status sent = ToGrpcStatus(status);
    EXPECT_EQ(sent.error_code(), code);
    EXPECT_EQ(sent.error_message(), "why");
    EXPECT_EQ(FromGrpcStatus(sent), status);
  }
}

TEST(GrpcStatusTest, TheFieldBecomesABadRequest) {
  const grpc::Status sent =
      ToGrpcStatus(InvalidFieldError("sampling.top_p", "must be in (0, 1]"));
  const google::rpc::Status details = DetailsOf(sent);
  EXPECT_EQ(details.code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(details.message(), sent.error_message());
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(),
            "type.googleapis.com/google.rpc.BadRequest");
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(details.details(0).UnpackTo(&bad_request));
  EXPECT_EQ(bad_request.field_violations(0).field(), "sampling.top_p");
  EXPECT_EQ(FieldOf(FromGrpcStatus(sent)), "sampling.top_p");
}

TEST(GrpcStatusTest, TheDelayBecomesARetryInfo) {
  const absl::Duration delay = absl::Milliseconds(1250);
  const grpc::Status sent = ToGrpcStatus(
      WithRetryDelay(absl::ResourceExhaustedError("queue full"), delay));
  google::rpc::RetryInfo retry_info;
  ASSERT_TRUE(DetailsOf(sent).details(0).UnpackTo(&retry_info));
  EXPECT_EQ(retry_info.retry_delay().seconds(), 1);
  EXPECT_EQ(retry_info.retry_delay().nanos(), 250'000'000);
  EXPECT_THAT(RetryDelayOf(FromGrpcStatus(sent)), Optional(delay));
}

TEST(GrpcStatusTest, OtherDetailsKeepTheirTypes) {
  const grpc::Status sent = ToGrpcStatus(WithErrorInfo(
      WithQuotaFailure(WithResourceInfo(absl::NotFoundError("no such model"),
                                        "model", "opt-9t"),
                       "queue_requests"),
      "WORKER_LOST"));
  int found = 0;
  const google::rpc::Status details = DetailsOf(sent);
  for (const auto& detail : details.details()) {
    google::rpc::ResourceInfo resource;
    google::rpc::ErrorInfo error;
    google::rpc::QuotaFailure quota;
    if (detail.UnpackTo(&resource)) {
      EXPECT_EQ(resource.resource_type(), "model");
      EXPECT_EQ(resource.resource_name(), "opt-9t");
      ++found;
    } else if (detail.UnpackTo(&error)) {
      EXPECT_EQ(error.reason(), "WORKER_LOST");
      EXPECT_EQ(error.domain(), "hybridserve");
      ++found;
    } else if (detail.UnpackTo(&quota)) {
      EXPECT_EQ(quota.violations(0).subject(), "queue_requests");
      ++found;
    }
  }
  EXPECT_EQ(found, 3);
  EXPECT_EQ(DetailsOf(ToGrpcStatus(FromGrpcStatus(sent))).details_size(), 3);
}

TEST(GrpcStatusTest, AMessageThatIsNotUtf8IsMadeSo) {
  const grpc::Status sent =
      ToGrpcStatus(InvalidFieldError("model", "unknown name \xff"));
  EXPECT_EQ(DetailsOf(sent).message(), "model: unknown name ?");
}

TEST(GrpcStatusTest, DamagedDetailsAreIgnored) {
  const absl::Status status = FromGrpcStatus(
      grpc::Status(grpc::StatusCode::ABORTED, "gone", "\xff\xff\xff"));
  EXPECT_EQ(status, absl::AbortedError("gone"));
  EXPECT_THAT(FromGrpcStatus(grpc::Status(grpc::StatusCode(20), "?")),
              StatusIs(absl::StatusCode::kUnknown));
}

}  // namespace
}  // namespace hybridserve
