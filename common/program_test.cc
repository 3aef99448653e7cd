#include "common/program.h"

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/version.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

ABSL_FLAG(int, shelves, 3, "How many shelves.");
ABSL_FLAG(bool, dusty, false,
          "Whether the books, of which there may be a great many on every one "
          "of the shelves, are covered in dust, as books tend to be.");

namespace hybridserve {
namespace {

using testing::ExitedWithCode;
using testing::HasSubstr;
using testing::Not;

ProgramUsage Usage() {
  return {.name = "library", .text = "Lends books.\n\n  library --shelves=9\n"};
}

std::vector<std::string> Init(std::vector<std::string> arguments,
                              const ProgramUsage& usage) {
  arguments.insert(arguments.begin(), "library");
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return InitProgram(static_cast<int>(argv.size()) - 1, argv.data(), usage);
}

// Everything runs in a child process: a program is initialised once.
class ProgramDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(ProgramDeathTest, HelpAndVersionExitWithZero) {
  EXPECT_EXIT(Init({"--help"}, Usage()), ExitedWithCode(0), "^$");
  EXPECT_EXIT(Init({"--version"}, Usage()), ExitedWithCode(0), "^$");
}

TEST_F(ProgramDeathTest, WrongUsageExitsWithTwoAndSaysSoFirst) {
  EXPECT_EXIT(Init({"--no_such_flag"}, Usage()), ExitedWithCode(2),
              "^library: --no_such_flag: unknown flag\nRun library --help");
  EXPECT_EXIT(Init({"--shelves=many"}, Usage()), ExitedWithCode(2),
              "^library: --shelves: \"many\" is not a valid value\n");
  EXPECT_EXIT(Init({"shelves=4"}, Usage()), ExitedWithCode(2),
              "^library: \"shelves=4\": unexpected");
  EXPECT_EXIT(ExitWithUsageError("library", absl::InvalidArgumentError("a\nb")),
              ExitedWithCode(2), "^library: a b\n");
}

TEST_F(ProgramDeathTest, SetsFlagsFromLineAndEnvironment) {
  EXPECT_EXIT(
      {
        setenv("HYBRIDSERVE_DUSTY", "true", /*overwrite=*/1);
        ProgramUsage usage = Usage();
        usage.takes_arguments = true;
        const std::vector<std::string> arguments =
            Init({"lend", "--shelves=5"}, usage);
        const bool right = arguments == std::vector<std::string>{"lend"} &&
                           absl::GetFlag(FLAGS_shelves) == 5 &&
                           absl::GetFlag(FLAGS_dusty);
        LOG(INFO) << "on stderr";
        std::exit(right ? 17 : 1);
      },
      ExitedWithCode(17), "on stderr");
}

TEST_F(ProgramDeathTest, WrongUsageNamesWhereTheFlagIsSet) {
  EXPECT_EXIT(
      {
        setenv("HYBRIDSERVE_SHELVES", "0", /*overwrite=*/1);
        Init({}, Usage());
        ExitWithUsageError(
            "library", absl::InvalidArgumentError("--shelves: are too few"));
      },
      ExitedWithCode(2),
      "^library: --shelves: are too few \\(set in HYBRIDSERVE_SHELVES\\)\n");
}

TEST_F(ProgramDeathTest, ACrashNamesProgramReleaseAndBuild) {
  EXPECT_DEATH(
      {
        Init({}, Usage());
        LOG(FATAL) << "no shelf is left";
      },
      testing::AllOf(
          HasSubstr("no shelf is left"),
          HasSubstr("*** hybridserve library " + std::string(Version()) +
                    " (build " + BuildId() + ") crashed ***\n")));
}

TEST_F(ProgramDeathTest, LogsInTheFormatAskedFor) {
  EXPECT_EXIT(
      {
        Init({"--log_format=json"}, Usage());
        LOG(INFO) << "on stderr";
        std::exit(17);
      },
      ExitedWithCode(17), "^\\{.*\"message\":\"on stderr\"\\}\n$");
  EXPECT_EXIT(Init({"--log_format=xml"}, Usage()), ExitedWithCode(2),
              "^library: --log_format: \"xml\"");
}

TEST(ProgramTest, HelpShowsUsageAndTheProjectsFlagsOnly) {
  const std::string help = HelpText(Usage());
  EXPECT_THAT(help, testing::StartsWith("Lends books.\n\n  library "));
  EXPECT_THAT(help, HasSubstr("Flags, common:\n  --config=VALUE\n"));
  EXPECT_THAT(help, HasSubstr("  --[no]dusty\n"));
  EXPECT_THAT(help,
              HasSubstr("  --shelves=VALUE\n      How many shelves. (default: "
                        "3)\n"));
  EXPECT_THAT(help, HasSubstr("--version"));
  EXPECT_THAT(help, Not(HasSubstr("flagfile")));
  for (const absl::string_view line : absl::StrSplit(help, '\n')) {
    EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST(ProgramTest, HelpShowsTheGroupsAskedFor) {
  ProgramUsage usage = Usage();
  usage.groups = {{"of another program", "worker/"},
                  {"of this one", "common/program_test.cc"}};
  const std::string help = HelpText(usage);
  EXPECT_THAT(help, HasSubstr("Flags, of this one:\n  --[no]dusty"));
  EXPECT_THAT(help, Not(HasSubstr("of another program")));
}

TEST(ProgramTest, HelpShowsTheFlagsAskedFor) {
  ProgramUsage usage = Usage();
  usage.shows = [](const absl::CommandLineFlag& flag) {
    return flag.Name() == "dusty";
  };
  const std::string help = HelpText(usage);
  EXPECT_THAT(help, HasSubstr("Flags, common:\n  --[no]dusty\n"));
  EXPECT_THAT(help, Not(HasSubstr("--shelves=VALUE")));
}

TEST_F(ProgramDeathTest, HelpOfArgumentsIsTheirs) {
  ProgramUsage usage = Usage();
  usage.takes_arguments = true;
  usage.of_arguments = [](const std::vector<std::string>& arguments) {
    // What is printed is on stdout, which death tests don't see.
    std::cerr << "asked for " << arguments.front() << std::endl;
    return ProgramUsage{.name = "library", .text = "Lends one book."};
  };
  EXPECT_EXIT(Init({"lend", "--help"}, usage), ExitedWithCode(0),
              "^asked for lend\n$");
  EXPECT_EXIT(Init({"--help"}, usage), ExitedWithCode(0), "^$");
}

TEST(ProgramTest, VersionNamesProgramReleaseAndBuild) {
  EXPECT_EQ(VersionText("worker"), "hybridserve worker " +
                                       std::string(Version()) + " (build " +
                                       BuildId() + ")\n");
  EXPECT_THAT(VersionText("hybridserve"),
              testing::StartsWith("hybridserve " + std::string(Version())));
}

}  // namespace
}  // namespace hybridserve
