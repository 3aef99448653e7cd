#include "common/program.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "common/crash_handler.h"
#include "common/flag_error.h"
#include "common/flag_parser.h"
#include "common/log_format.h"
#include "common/log_level.h"
#include "common/version.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

constexpr size_t kColumns = 80;
constexpr absl::string_view kIndent = "      ";

// Debian builds Abseil so that it looks for deadlocks: whoever locks a second
// mutex, as gRPC does all the time, also takes a lock of the whole process.
// Only debug builds are to pay for that.
void QuietenMutexes() {
#ifdef NDEBUG
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
}

std::vector<FlagGroup> GroupByFolder() {
  std::vector<FlagGroup> groups;
  for (const absl::CommandLineFlag* flag : ProjectFlags()) {
    const std::string source = SourceOf(*flag);
    const std::string folder = source.substr(0, source.find('/'));
    const bool known =
        std::any_of(groups.begin(), groups.end(),
                    [&](const FlagGroup& g) { return g.title == folder; });
    if (!known) groups.push_back({folder, folder});
  }
  return groups;
}

// `text` in lines that fit, each indented.
void AppendWrapped(absl::string_view text, std::string& out) {
  std::string line;
  for (const absl::string_view word :
       absl::StrSplit(text, ' ', absl::SkipWhitespace())) {
    if (!line.empty() &&
        kIndent.size() + line.size() + 1 + word.size() > kColumns) {
      absl::StrAppend(&out, kIndent, line, "\n");
      line.clear();
    }
    absl::StrAppend(&line, line.empty() ? "" : " ", word);
  }
  absl::StrAppend(&out, kIndent, line, "\n");
}

void AppendFlag(const absl::CommandLineFlag& flag, std::string& out) {
  const std::string default_value = flag.DefaultValue();
  absl::StrAppend(&out, "  --", flag.IsOfType<bool>() ? "[no]" : "",
                  flag.Name(), flag.IsOfType<bool>() ? "" : "=VALUE", "\n");
  std::string text = flag.Help();
  if (!default_value.empty() && !flag.IsOfType<bool>()) {
    absl::StrAppend(&text, " (default: ", default_value, ")");
  } else if (default_value == "true") {
    absl::StrAppend(&text, " (default: on)");
  }
  AppendWrapped(text, out);
}

void PrintError(absl::string_view name, const absl::Status& error) {
  std::cerr << absl::StrCat(name, ": ", DescribeUsageError(error)) << std::endl;
}

// What --help prints where the command line has these arguments.
std::string HelpFor(const ProgramUsage& usage,
                    const std::vector<std::string>& arguments) {
  if (usage.of_arguments == nullptr || arguments.empty()) {
    return HelpText(usage);
  }
  return HelpText(usage.of_arguments(arguments));
}

}  // namespace

std::string SourceOf(const absl::CommandLineFlag& flag) {
  std::string file = flag.Filename();
  if (absl::StartsWith(file, "./")) file.erase(0, 2);
  return file;
}

std::string HelpText(const ProgramUsage& usage) {
  std::string out =
      absl::StrCat(absl::StripTrailingAsciiWhitespace(usage.text), "\n");
  const std::vector<FlagGroup> groups =
      usage.groups.empty() ? GroupByFolder() : usage.groups;
  for (const FlagGroup& group : groups) {
    std::string flags;
    for (const absl::CommandLineFlag* flag : ProjectFlags()) {
      if (absl::StartsWith(SourceOf(*flag), group.source_prefix) &&
          (usage.shows == nullptr || usage.shows(*flag))) {
        AppendFlag(*flag, flags);
      }
    }
    if (flags.empty()) continue;
    absl::StrAppend(&out, "\nFlags, ", group.title, ":\n", flags);
  }
  absl::StrAppend(&out,
                  "\n  --help      Print this and exit.\n"
                  "  --version   Print version and build and exit.\n"
                  "\nA flag may also be set as an environment variable: "
                  "HYBRIDSERVE_ and its name in\ncapitals, or in the file "
                  "that --config names. The command line wins over the\n"
                  "environment, and the environment over the file.\n");
  return out;
}

std::string VersionText(absl::string_view name) {
  const absl::string_view program = name == "hybridserve" ? "" : name;
  return absl::StrCat("hybridserve ", program, program.empty() ? "" : " ",
                      Version(), " (build ", BuildId(), ")\n");
}

void ExitWithUsageError(absl::string_view name, const absl::Status& error) {
  PrintError(name, error);
  std::cerr << "Run " << name << " --help for what it takes." << std::endl;
  std::exit(2);
}

std::string DescribeUsageError(const absl::Status& error) {
  std::string line(error.message());
  std::replace(line.begin(), line.end(), '\n', ' ');
  const std::string origin = FlagOrigin(FlagIn(line));
  if (!origin.empty()) absl::StrAppend(&line, " (set in ", origin, ")");
  return line;
}

void PrintLine(absl::string_view line) { std::cout << line << std::endl; }

int ReportFailure(absl::string_view name, const absl::Status& error) {
  PrintError(name, error);
  return 1;
}

std::vector<std::string> InitProgram(int argc, char** argv,
                                     const ProgramUsage& usage) {
  QuietenMutexes();
  FLAGS_logtostderr = true;
  google::InitGoogleLogging(argv[0]);
  InstallCrashHandler(
      absl::StripTrailingAsciiWhitespace(VersionText(usage.name)));
  absl::StatusOr<CommandLine> line = ParseFlags(
      absl::MakeConstSpan(argv, argc).subspan(1),
      [](const char* name) -> const char* { return std::getenv(name); });
  if (!line.ok()) ExitWithUsageError(usage.name, line.status());
  if (line->help || line->version) {
    std::cout << (line->help ? HelpFor(usage, line->arguments)
                             : VersionText(usage.name))
              << std::flush;
    std::exit(0);
  }
  if (absl::Status level = ApplyLogLevel(usage.log_level); !level.ok()) {
    ExitWithUsageError(usage.name, level);
  }
  if (absl::Status format = ApplyLogFormat(); !format.ok()) {
    ExitWithUsageError(usage.name, format);
  }
  if (!usage.takes_arguments && !line->arguments.empty()) {
    ExitWithUsageError(usage.name, absl::InvalidArgumentError(absl::StrCat(
                                       "\"", line->arguments.front(),
                                       "\": unexpected; flags begin with --")));
  }
  return std::move(line->arguments);
}

}  // namespace hybridserve
