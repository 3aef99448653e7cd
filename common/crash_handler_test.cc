#include "common/crash_handler.h"

#include <signal.h>

#include <cstdlib>
#include <string>

#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::KilledBySignal;
using ::testing::Not;

// Every crash is that of a process of its own.
class CrashHandlerDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  static void Install() {
    FLAGS_logtostderr = true;
    google::InitGoogleLogging("library");
    InstallCrashHandler("library 1.2.3 (build 42)");
  }
};

TEST_F(CrashHandlerDeathTest, ASignalSaysWhoAndWhere) {
  EXPECT_EXIT(
      {
        Install();
        raise(SIGSEGV);
      },
      KilledBySignal(SIGSEGV),
      AllOf(ContainsRegex("^\\*\\*\\* library 1.2.3 \\(build 42\\) crashed"),
            HasSubstr("SIGSEGV"), HasSubstr("stack trace:"),
            ContainsRegex("@ +0x[0-9a-f]+")));
}

TEST_F(CrashHandlerDeathTest, AFailedCheckIsSeenWithOneStack) {
  EXPECT_EXIT(
      {
        Install();
        CHECK_EQ(1 + 1, 3) << "arithmetic is broken";
      },
      KilledBySignal(SIGABRT),
      AllOf(HasSubstr("Check failed: 1 + 1 == 3 (2 vs. 3) arithmetic is "
                      "broken"),
            HasSubstr("*** library 1.2.3 (build 42) crashed ***"),
            HasSubstr("SIGABRT"),
            Not(ContainsRegex("stack trace: \\*\\*\\*(.|\n)*"
                              "stack trace: \\*\\*\\*(.|\n)*"
                              "stack trace: \\*\\*\\*"))));
}

TEST_F(CrashHandlerDeathTest, TerminationIsNoCrash) {
  EXPECT_EXIT(
      {
        Install();
        raise(SIGTERM);
      },
      KilledBySignal(SIGTERM), Not(HasSubstr("crashed")));
}

TEST_F(CrashHandlerDeathTest, ALongNameIsCut) {
  EXPECT_EXIT(
      {
        Install();
        InstallCrashHandler(std::string(1000, 'x'));
        std::abort();
      },
      KilledBySignal(SIGABRT), ContainsRegex("\\*\\*\\* x{200} crashed"));
}

}  // namespace
}  // namespace hybridserve
