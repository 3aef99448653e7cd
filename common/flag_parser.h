#ifndef HYBRIDSERVE_COMMON_FLAG_PARSER_H_
#define HYBRIDSERVE_COMMON_FLAG_PARSER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hybridserve {

// What a command line held besides flags.
struct CommandLine {
  bool help = false;                   // --help or -h
  bool version = false;                // --version
  std::vector<std::string> arguments;  // In order, without flags.
};

// The value of an environment variable; null if it is not set.
using EnvironmentLookup = std::function<const char*(const char* name)>;

// Sets this program's absl flags from the file that --config names
// (config_file.h), then from HYBRIDSERVE_<NAME> variables, then from the
// command line: the later one wins, whole, also for flags that may be repeated.
// `arguments` lacks the program's name. Flags are written --name=value, --name
// value, --name and --noname (bool), with one or two dashes, before or after
// arguments; all after "--" is arguments. With --help or --version the rest is
// not looked at.
//
// absl::ParseCommandLine is not used because it exits with 1 on wrong usage
// and on --help. InvalidArgument names the flag, the variable, or --config and
// file, line and flag first: "--weight_buffers: \"x\" is not ...",
// "--config: worker.conf:3: weight_buffers: \"x\" is not ...".
absl::StatusOr<CommandLine> ParseFlags(absl::Span<const char* const> arguments,
                                       const EnvironmentLookup& environment);

// Where a flag got the value that it has since the last ParseFlags():
// "FILE:LINE" or "HYBRIDSERVE_NAME"; empty if from the command line, or not set
// at all.
std::string FlagOrigin(absl::string_view flag);

// This program's flags, sorted by name: those of its own sources, without those
// that its libraries bring along.
std::vector<const absl::CommandLineFlag*> ProjectFlags();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_FLAG_PARSER_H_
