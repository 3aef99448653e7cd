#include "common/log_level.h"

#include <string>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "common/testing/status_matchers.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

ABSL_DECLARE_FLAG(std::string, log_level);

namespace hybridserve {
namespace {

using ::testing::HasSubstr;

class LogLevelTest : public ::testing::Test {
 protected:
  ~LogLevelTest() override { FLAGS_minloglevel = google::GLOG_INFO; }

  const absl::FlagSaver flags_;
};

TEST_F(LogLevelTest, TheProgramsOwnCountsWhereNoneIsGiven) {
  EXPECT_THAT(ApplyLogLevel("warning"), IsOk());
  EXPECT_EQ(FLAGS_minloglevel, google::GLOG_WARNING);
  EXPECT_THAT(ApplyLogLevel("info"), IsOk());
  EXPECT_EQ(FLAGS_minloglevel, google::GLOG_INFO);
}

TEST_F(LogLevelTest, TheFlagWins) {
  absl::SetFlag(&FLAGS_log_level, "error");
  EXPECT_THAT(ApplyLogLevel("info"), IsOk());
  EXPECT_EQ(FLAGS_minloglevel, google::GLOG_ERROR);
}

TEST_F(LogLevelTest, RefusesOtherWords) {
  absl::SetFlag(&FLAGS_log_level, "loud");
  EXPECT_THAT(ApplyLogLevel("info"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("--log_level: \"loud\"")));
}

}  // namespace
}  // namespace hybridserve
