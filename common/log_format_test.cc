#include "common/log_format.h"

#include <signal.h>

#include <cstdlib>
#include <string>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "common/testing/status_matchers.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

ABSL_DECLARE_FLAG(std::string, log_format);

namespace hybridserve {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
using ::testing::KilledBySignal;

// A process logs in one format from its beginning.
class LogFormatDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  static void Log(const std::string& format) {
    absl::SetFlag(&FLAGS_log_format, format);
    FLAGS_logtostderr = true;
    google::InitGoogleLogging("library");
    if (!ApplyLogFormat().ok()) std::exit(1);
    LOG(INFO) << "a \"shelf\"";
  }
};

TEST_F(LogFormatDeathTest, TextIsGlogs) {
  EXPECT_EXIT(
      {
        Log("text");
        std::exit(17);
      },
      ExitedWithCode(17), ContainsRegex("^I[0-9 :.]+ .*\\] a \"shelf\"\n$"));
}

TEST_F(LogFormatDeathTest, JsonIsNothingButJson) {
  EXPECT_EXIT(
      {
        Log("json");
        LOG(ERROR) << "fire";
        std::exit(17);
      },
      ExitedWithCode(17),
      ContainsRegex("^\\{\"time\":[^\n]*\"message\":\"a "
                    "\\\\\"shelf\\\\\"\"\\}\n"
                    "\\{\"time\":[^\n]*\"message\":\"fire\"\\}\n$"));
}

TEST_F(LogFormatDeathTest, WhatIsFatalIsLoggedAsJsonToo) {
  EXPECT_EXIT(
      {
        Log("json");
        LOG(FATAL) << "broken";
      },
      KilledBySignal(SIGABRT),
      AllOf(HasSubstr("\"severity\":\"FATAL\""),
            HasSubstr("\"message\":\"broken\"}\n")));
}

TEST(LogFormatTest, RefusesOtherWords) {
  const absl::FlagSaver flags;
  absl::SetFlag(&FLAGS_log_format, "xml");
  EXPECT_THAT(ApplyLogFormat(), StatusIs(absl::StatusCode::kInvalidArgument,
                                         HasSubstr("--log_format: \"xml\"")));
}

}  // namespace
}  // namespace hybridserve
