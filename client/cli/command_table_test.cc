#include "client/cli/command_table.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/completion/flag_values.h"
#include "common/flag_parser.h"
#include "common/program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using testing::HasSubstr;
using testing::Not;

const absl::CommandLineFlag& Flag(const char* name) {
  return *absl::FindCommandLineFlag(name);
}

TEST(CommandTableTest, EveryFlagIsSomeCommands) {
  for (const absl::CommandLineFlag* flag : ProjectFlags()) {
    EXPECT_TRUE(std::any_of(Commands().begin(), Commands().end(),
                            [&](const Command& command) {
                              return !command.flags.empty() &&
                                     TakesFlag(command, *flag);
                            }))
        << flag->Name() << " of " << SourceOf(*flag);
  }
}

TEST(CommandTableTest, EveryEntryNamesAFlagOrAFileOfFlags) {
  const std::vector<const absl::CommandLineFlag*> flags = ProjectFlags();
  for (const Command& command : Commands()) {
    for (const absl::string_view entry : command.flags) {
      EXPECT_TRUE(std::any_of(flags.begin(), flags.end(),
                              [&](const absl::CommandLineFlag* flag) {
                                return SourceOf(*flag) == entry ||
                                       absl::StrCat("--", flag->Name()) ==
                                           entry;
                              }))
          << command.name << ": " << entry;
    }
  }
}

TEST(CommandTableTest, CommandsTakeTheFlagsThatTheyRead) {
  const Command& generate = *FindCommand("generate");
  for (const char* name : {"prompt", "stop", "server", "tls_ca", "model_dir",
                           "policy", "output", "log_level", "config"}) {
    EXPECT_TRUE(TakesFlag(generate, Flag(name))) << name;
  }
  for (const char* name : {"input", "policies", "show_profile", "once"}) {
    EXPECT_FALSE(TakesFlag(generate, Flag(name))) << name;
  }
  const Command& status = *FindCommand("status");
  EXPECT_TRUE(TakesFlag(status, Flag("server")));
  EXPECT_FALSE(TakesFlag(status, Flag("model_dir")));
  const Command& plan = *FindCommand("plan");
  EXPECT_TRUE(TakesFlag(plan, Flag("model_dir")));
  EXPECT_FALSE(TakesFlag(plan, Flag("server")));
  const Command& completion = *FindCommand("completion");
  EXPECT_FALSE(TakesFlag(completion, Flag("output")));
  EXPECT_EQ(FindCommand("no_such_command"), nullptr);
}

TEST(CommandTableTest, HelpOfACommandShowsItsFlagsAlone) {
  const std::string help = HelpText(CommandUsage("status"));
  EXPECT_THAT(help, testing::StartsWith("hybridserve status [FLAGS]\n"));
  EXPECT_THAT(help, HasSubstr("--[no]show_profile"));
  EXPECT_THAT(help, HasSubstr("--server=VALUE"));
  EXPECT_THAT(help, Not(HasSubstr("--prompt=VALUE")));
  EXPECT_THAT(help, Not(HasSubstr("--model_dir=VALUE")));
  EXPECT_EQ(HelpText(CommandUsage("frobnicate")), HelpText(ClientUsage()));
  for (const Command& command : Commands()) {
    for (const absl::string_view line :
         absl::StrSplit(HelpText(CommandUsage(command.name)), '\n')) {
      EXPECT_LE(line.size(), 80U) << line;
    }
  }
}

// A value that is offered is a flag's: it parses, and the flag's help knows it.
TEST(CommandTableTest, OfferedValuesAreTaken) {
  int offered = 0;
  const absl::FlagSaver saver;
  for (const absl::CommandLineFlag* flag : ProjectFlags()) {
    const FlagValues values = ValuesOfFlag(flag->Name());
    EXPECT_TRUE(values.choices.empty() || !flag->IsOfType<bool>());
    for (const absl::string_view choice : values.choices) {
      ++offered;
      std::string error;
      EXPECT_TRUE(
          absl::FindCommandLineFlag(flag->Name())->ParseFrom(choice, &error))
          << flag->Name() << "=" << choice << ": " << error;
    }
  }
  EXPECT_GT(offered, 30);
}

}  // namespace
}  // namespace hybridserve
