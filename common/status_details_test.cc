#include "common/status_details.h"

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(StatusDetailsTest, AFieldErrorNamesTheFieldTwice) {
  const absl::Status status = InvalidFieldError("sampling.top_p", "is 2");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "sampling.top_p: is 2");
  EXPECT_EQ(FieldOf(status), "sampling.top_p");
  EXPECT_EQ(RetryDelayOf(status), std::nullopt);
}

TEST(StatusDetailsTest, ADelaySurvives) {
  const absl::Status status = WithRetryDelay(
      absl::UnavailableError("no worker"), absl::Milliseconds(1500));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RetryDelayOf(status), absl::Milliseconds(1500));
  EXPECT_EQ(FieldOf(status), std::nullopt);
}

TEST(StatusDetailsTest, AGarbledDelayIsNone) {
  absl::Status status = absl::UnavailableError("x");
  status.SetPayload(kRetryDelayPayloadUrl, absl::Cord("soon"));
  EXPECT_EQ(RetryDelayOf(status), std::nullopt);
}

TEST(StatusDetailsTest, OkCarriesNothing) {
  EXPECT_EQ(RetryDelayOf(WithRetryDelay(absl::OkStatus(), absl::Seconds(1))),
            std::nullopt);
}

}  // namespace
}  // namespace hybridserve
