#include "common/flag_parser.h"

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/repeated_text.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

ABSL_FLAG(int, layers, 2, "Number of layers.");
ABSL_FLAG(bool, fast, false, "Whether to hurry.");
ABSL_FLAG(std::string, folder, "here", "Where to look.");
ABSL_FLAG(hybridserve::RepeatedText, stop, {}, "Where to stop.");

namespace hybridserve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

class FlagParserTest : public testing::Test {
 protected:
  absl::StatusOr<CommandLine> Parse(const std::vector<const char*>& arguments) {
    return ParseFlags(arguments, [this](const char* name) -> const char* {
      const auto it = environment_.find(name);
      return it == environment_.end() ? nullptr : it->second.c_str();
    });
  }

  // Returns the file's path.
  static std::string WriteConfig(const std::string& content) {
    std::string path = testing::TempDir() + "/test.conf";
    std::ofstream(path, std::ios::trunc) << content;
    return path;
  }

  std::map<std::string, std::string> environment_;

 private:
  const absl::FlagSaver saver_;
};

TEST_F(FlagParserTest, TakesEverySpelling) {
  const CommandLine line = Parse({"generate", "--layers=3", "-folder", "a=b",
                                  "--fast", "x", "-", "--", "--layers=4"})
                               .value();
  EXPECT_EQ(absl::GetFlag(FLAGS_layers), 3);
  EXPECT_EQ(absl::GetFlag(FLAGS_folder), "a=b");
  EXPECT_TRUE(absl::GetFlag(FLAGS_fast));
  EXPECT_THAT(line.arguments, ElementsAre("generate", "x", "-", "--layers=4"));
  EXPECT_FALSE(line.help);
  EXPECT_FALSE(line.version);

  ASSERT_THAT(Parse({"--nofast", "--folder=", "--layers=5", "--layers=6"}),
              IsOk());
  EXPECT_FALSE(absl::GetFlag(FLAGS_fast));
  EXPECT_EQ(absl::GetFlag(FLAGS_folder), "");
  EXPECT_EQ(absl::GetFlag(FLAGS_layers), 6);

  ASSERT_THAT(Parse({"--fast=true"}), IsOk());
  EXPECT_TRUE(absl::GetFlag(FLAGS_fast));
}

TEST_F(FlagParserTest, TheCommandLineBeatsTheEnvironment) {
  environment_ = {{"HYBRIDSERVE_LAYERS", "7"}, {"HYBRIDSERVE_FOLDER", "env"}};
  ASSERT_THAT(Parse({"--layers=8"}), IsOk());
  EXPECT_EQ(absl::GetFlag(FLAGS_layers), 8);
  EXPECT_EQ(absl::GetFlag(FLAGS_folder), "env");
}

TEST_F(FlagParserTest, TheEnvironmentBeatsTheFile) {
  const std::string file = WriteConfig(
      "# all of them\n"
      "layers = 4\nfolder = file\nfast = true\nstop = f1\nstop = f2\n");
  const std::string flag = "--config=" + file;
  ASSERT_THAT(Parse({flag.c_str()}), IsOk());
  EXPECT_EQ(absl::GetFlag(FLAGS_layers), 4);
  EXPECT_EQ(absl::GetFlag(FLAGS_folder), "file");
  EXPECT_TRUE(absl::GetFlag(FLAGS_fast));
  EXPECT_THAT(absl::GetFlag(FLAGS_stop).values, ElementsAre("f1", "f2"));

  EXPECT_EQ(FlagOrigin("layers"), file + ":2");
  EXPECT_EQ(FlagOrigin("stop"), file + ":5");

  environment_ = {{"HYBRIDSERVE_LAYERS", "7"},
                  {"HYBRIDSERVE_FOLDER", "env"},
                  {"HYBRIDSERVE_STOP", "e"}};
  ASSERT_THAT(Parse({flag.c_str(), "--layers=8"}), IsOk());
  EXPECT_EQ(FlagOrigin("layers"), "");
  EXPECT_EQ(FlagOrigin("folder"), "HYBRIDSERVE_FOLDER");
  EXPECT_EQ(FlagOrigin("fast"), file + ":4");
  EXPECT_EQ(absl::GetFlag(FLAGS_layers), 8);
  EXPECT_EQ(absl::GetFlag(FLAGS_folder), "env");
  EXPECT_TRUE(absl::GetFlag(FLAGS_fast));
  EXPECT_THAT(absl::GetFlag(FLAGS_stop).values, ElementsAre("e"));
}

TEST_F(FlagParserTest, TheEnvironmentNamesAFileToo) {
  environment_ = {{"HYBRIDSERVE_CONFIG", WriteConfig("layers = 4\n")}};
  ASSERT_THAT(Parse({}), IsOk());
  EXPECT_EQ(absl::GetFlag(FLAGS_layers), 4);
  // The command line's is read instead, or none.
  ASSERT_THAT(Parse({"--config=", "--layers=2"}), IsOk());
  environment_["HYBRIDSERVE_CONFIG"] = "/no/such/file";
  EXPECT_THAT(Parse({}), StatusIs(kInvalid, "--config: cannot read /no/such"));
  EXPECT_THAT(Parse({"--config="}), IsOk());
}

TEST_F(FlagParserTest, NamesFileLineAndFlagThatAreWrong) {
  struct Case {
    const char* content;
    const char* error;
  };
  for (const Case& wrong : std::vector<Case>{
           {"\nlayers = many\n", ":2: layers: \"many\" is not a valid value"},
           {"layers = 1\nno_such_flag = 1\n", ":2: no_such_flag: unknown flag"},
           {"flagfile = x\n", ":1: flagfile: unknown flag"},
           {"layers = 1\n\nlayers = 2\n", ":3: layers: is set in line 1"},
           {"config = other\n", ":1: config: a file can't name another"},
           {"fast\n", ":1: \"fast\": needs ="},
           {"stop = a\x1f\n", ":1: stop: must not"},
       }) {
    const std::string file = WriteConfig(wrong.content);
    EXPECT_THAT(Parse({("--config=" + file).c_str()}),
                StatusIs(kInvalid, "--config: " + file + wrong.error));
  }
  // Nothing of it is set.
  EXPECT_EQ(absl::GetFlag(FLAGS_layers), 2);
}

TEST_F(FlagParserTest, RepeatedFlagsKeepEveryValue) {
  ASSERT_THAT(Parse({"--stop=a,b", "--stop", "", "--stop=--x"}), IsOk());
  EXPECT_THAT(absl::GetFlag(FLAGS_stop).values, ElementsAre("a,b", "", "--x"));

  ASSERT_THAT(Parse({"--stop=only"}), IsOk());
  EXPECT_THAT(absl::GetFlag(FLAGS_stop).values, ElementsAre("only"));

  EXPECT_THAT(Parse({"--stop=a\x1f"}), StatusIs(kInvalid, "--stop: must not"));
}

TEST_F(FlagParserTest, NamesTheFlagOrVariableThatIsWrong) {
  EXPECT_THAT(Parse({"--no_such_flag=1"}),
              StatusIs(kInvalid, "--no_such_flag: unknown flag"));
  EXPECT_THAT(Parse({"--layers=many"}),
              StatusIs(kInvalid, "--layers: \"many\" is not a valid value"));
  EXPECT_THAT(Parse({"--layers"}),
              StatusIs(kInvalid, "--layers: needs a value"));
  EXPECT_THAT(Parse({"--nolayers"}),
              StatusIs(kInvalid, "--nolayers: unknown flag"));
  EXPECT_THAT(Parse({"--nofast=1"}),
              StatusIs(kInvalid, "--nofast: takes no value"));
  environment_ = {{"HYBRIDSERVE_FAST", "perhaps"}};
  EXPECT_THAT(Parse({}), StatusIs(kInvalid, "HYBRIDSERVE_FAST: \"perhaps\""));
}

TEST_F(FlagParserTest, ARefusedCommandLineSetsNothingThatFollows) {
  EXPECT_THAT(Parse({"--layers=9", "--no_such_flag"}), StatusIs(kInvalid));
  EXPECT_EQ(absl::GetFlag(FLAGS_layers), 2);
}

TEST_F(FlagParserTest, HelpAndVersionNeedNothingElseToBeRight) {
  environment_ = {{"HYBRIDSERVE_LAYERS", "many"}};
  EXPECT_TRUE(Parse({"--help", "--no_such_flag"})->help);
  EXPECT_TRUE(Parse({"-h"})->help);
  EXPECT_TRUE(Parse({"batch", "--layers=x", "--help"})->help);
  EXPECT_TRUE(Parse({"--version"})->version);
}

TEST_F(FlagParserTest, KnowsOnlyTheProjectsFlags) {
  std::vector<std::string> names;
  for (const absl::CommandLineFlag* flag : ProjectFlags()) {
    names.emplace_back(flag->Name());
  }
  EXPECT_THAT(names, ElementsAre("config", "fast", "folder", "layers", "stop"));
  // Abseil's own, which would read files.
  EXPECT_THAT(Parse({"--flagfile=/etc/passwd"}),
              StatusIs(kInvalid, "--flagfile: unknown flag"));
}

TEST_F(FlagParserTest, NothingIsFine) {
  EXPECT_THAT(Parse({})->arguments, IsEmpty());
}

}  // namespace
}  // namespace hybridserve
