#ifndef HYBRIDSERVE_COMMON_PROGRAM_H_
#define HYBRIDSERVE_COMMON_PROGRAM_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/flag_parser.h"

namespace hybridserve {

// Flags that belong together in a help text.
struct FlagGroup {
  std::string title;  // "Model and device"
  // Flags of this program's sources under this path: "worker/", "client/x.cc".
  std::string source_prefix;
};

// What a program says of itself.
struct ProgramUsage {
  std::string name;  // "worker"
  // First line: what it is for. Then how to call it, with an example or two.
  std::string text;
  // The flags to show, group by group. Empty: one group a top-level folder.
  std::vector<FlagGroup> groups;
  // Which of these groups' flags to show; null: all.
  std::function<bool(const absl::CommandLineFlag& flag)> shows;
  bool takes_arguments = false;  // Besides flags.
  // What --help beside arguments tells of, such as one command of several.
  // Null, or no arguments: this.
  std::function<ProgramUsage(const std::vector<std::string>& arguments)>
      of_arguments;
  std::string log_level = "info";  // Where --log_level is not set.
};

// Prepares a program: logs to stderr only (stdout carries the contract's
// lines), as --log_format says; a crash says there who crashed and where
// (crash_handler.h); flags from environment and command line as ParseFlags
// says. Returns the arguments that are not flags.
//
// Exits with 0 after --help or --version, and with 2 and one line on stderr on
// wrong usage. Call once, first thing in main().
std::vector<std::string> InitProgram(int argc, char** argv,
                                     const ProgramUsage& usage);

// Ends the program with 2 after one line on stderr: "NAME: MESSAGE".
[[noreturn]] void ExitWithUsageError(absl::string_view name,
                                     const absl::Status& error);

// An error's message, in one line; if it begins with a flag, and that was not
// set on the command line, it ends with where it was.
std::string DescribeUsageError(const absl::Status& error);

// Writes one line to stderr, "NAME: MESSAGE", and returns 1: what main() does
// with the error that ended it.
int ReportFailure(absl::string_view name, const absl::Status& error);

// A line on stdout for scripts that wait for it: at once, whole.
void PrintLine(absl::string_view line);

// What --help prints: the usage, then every flag with type, help and default,
// 80 columns wide.
std::string HelpText(const ProgramUsage& usage);

// Where a flag is defined, as the build names the file: "worker/main.cc".
std::string SourceOf(const absl::CommandLineFlag& flag);

// What --version prints: "hybridserve NAME VERSION (build ID)".
std::string VersionText(absl::string_view name);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_PROGRAM_H_
