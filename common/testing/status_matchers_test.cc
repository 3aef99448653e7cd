#include "common/testing/status_matchers.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;
using ::testing::ExplainMatchResult;
using ::testing::Gt;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StringMatchResultListener;

absl::Status BadField() {
  return absl::InvalidArgumentError("field top_k: -1 is negative");
}

TEST(StatusMatchersTest, IsOkTakesStatusAndStatusOr) {
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(BadField(), Not(IsOk()));
  EXPECT_THAT(absl::StatusOr<int>(3), IsOk());
  EXPECT_THAT(absl::StatusOr<int>(BadField()), Not(IsOk()));
}

TEST(StatusMatchersTest, IsOkExplainsItselfByTheStatus) {
  StringMatchResultListener listener;
  EXPECT_FALSE(ExplainMatchResult(IsOk(), BadField(), &listener));
  EXPECT_EQ(listener.str(),
            "which is INVALID_ARGUMENT: field top_k: -1 is negative");
}

TEST(StatusMatchersTest, StatusIsComparesTheCode) {
  EXPECT_THAT(BadField(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(BadField(), Not(StatusIs(absl::StatusCode::kNotFound)));
  EXPECT_THAT(absl::StatusOr<std::string>(BadField()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(StatusMatchersTest, StatusIsComparesTheMessage) {
  EXPECT_THAT(BadField(),
              StatusIs(absl::StatusCode::kInvalidArgument, "top_k"));
  EXPECT_THAT(BadField(),
              Not(StatusIs(absl::StatusCode::kInvalidArgument, "top_p")));
  EXPECT_THAT(BadField(), Not(StatusIs(absl::StatusCode::kNotFound, "top_k")));
  EXPECT_THAT(BadField(), StatusIs(absl::StatusCode::kInvalidArgument,
                                   MatchesRegex("field .* negative")));
}

TEST(StatusMatchersTest, IsOkAndHoldsMatchesTheValue) {
  EXPECT_THAT(absl::StatusOr<int>(3), IsOkAndHolds(3));
  EXPECT_THAT(absl::StatusOr<int>(3), IsOkAndHolds(Gt(2)));
  EXPECT_THAT(absl::StatusOr<int>(3), Not(IsOkAndHolds(4)));
  EXPECT_THAT(absl::StatusOr<int>(BadField()), Not(IsOkAndHolds(3)));
  EXPECT_THAT(absl::StatusOr<std::vector<int>>({1, 2}),
              IsOkAndHolds(ElementsAre(1, 2)));
}

}  // namespace
}  // namespace hybridserve
