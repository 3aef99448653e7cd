#include "client/progress_bar.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr absl::Time kStart = absl::UnixEpoch();

TEST(ProgressBarTest, RateAndTimeLeftCountOnlyThisRun) {
  std::ostringstream out;
  ProgressBar bar(out, /*is_terminal=*/true, 100, 20, kStart);
  bar.Show(40, "2 errors", kStart + absl::Seconds(10));
  EXPECT_THAT(out.str(), StartsWith("\r[############"));
  EXPECT_THAT(out.str(), HasSubstr(" 40% 40/100 2.0/s 0:30 left 2 errors"));
}

TEST(ProgressBarTest, TerminalIsRedrawnAtMostTenTimesASecond) {
  std::ostringstream out;
  ProgressBar bar(out, true, 100, 0, kStart);
  bar.Show(1, "", kStart + absl::Milliseconds(100));
  const std::string once = out.str();
  bar.Show(2, "", kStart + absl::Milliseconds(150));
  EXPECT_EQ(out.str(), once);
  bar.Show(3, "", kStart + absl::Milliseconds(200));
  EXPECT_NE(out.str(), once);
}

TEST(ProgressBarTest, ElsewhereItPrintsWholeLinesSeldom) {
  std::ostringstream out;
  ProgressBar bar(out, false, 100, 0, kStart);
  bar.Show(1, "", kStart + absl::Seconds(1));
  bar.Show(2, "", kStart + absl::Seconds(5));
  EXPECT_EQ(out.str(), "");
  bar.Show(3, "", kStart + absl::Seconds(11));
  EXPECT_THAT(out.str(), HasSubstr(" 3/100"));
  EXPECT_THAT(out.str(), Not(HasSubstr("\r")));
}

TEST(ProgressBarTest, NothingToDoIsAllDone) {
  std::ostringstream out;
  ProgressBar bar(out, false, 0, 0, kStart);
  bar.Finish(0, "", kStart);
  EXPECT_THAT(out.str(), HasSubstr("100% 0/0"));
}

}  // namespace
}  // namespace hybridserve
