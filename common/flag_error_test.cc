#include "common/flag_error.h"

#include "absl/flags/flag.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

ABSL_FLAG(int, shelves, 3, "How many shelves.");

namespace hybridserve {
namespace {

TEST(WrongFlagTest, NamesTheFlagFirst) {
  const absl::Status error = WrongFlag("shelves", "too few");
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(error.message(), "--shelves: too few");
  EXPECT_TRUE(IsUsageError(error));
}

TEST(FlagInTest, IsTheFlagThatAMessageBeginsWith) {
  EXPECT_EQ(FlagIn("--shelves: too few"), "shelves");
  EXPECT_EQ(FlagIn("shelves: too few"), "shelves");
  EXPECT_EQ(FlagIn("no shelves: too few"), "");
  EXPECT_EQ(FlagIn(""), "");
}

TEST(IsUsageErrorTest, IsAboutAFlagsValue) {
  EXPECT_TRUE(IsUsageError(absl::InvalidArgumentError("shelves: too few")));
  EXPECT_FALSE(IsUsageError(absl::InvalidArgumentError("books: too few")));
  EXPECT_FALSE(IsUsageError(absl::NotFoundError("--shelves: gone")));
  EXPECT_FALSE(IsUsageError(absl::OkStatus()));
}

}  // namespace
}  // namespace hybridserve
