#include "client/bench/machine_info.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/version.h"

namespace hybridserve {
namespace {

std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (!absl::StartsWith(line, "model name")) continue;
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    return std::string(
        absl::StripAsciiWhitespace(absl::string_view(line).substr(colon + 1)));
  }
  return "unknown";
}

int64_t UsableCores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) {
    return CPU_COUNT(&cores);
  }
  return std::max<int64_t>(1, sysconf(_SC_NPROCESSORS_ONLN));
}

// Words with spaces in quotes, as a shell would take them.
std::string CommandLine() {
  std::ifstream stream("/proc/self/cmdline", std::ios::binary);
  std::string line;
  std::string word;
  while (std::getline(stream, word, '\0')) {
    const bool quote = word.empty() || word.find(' ') != std::string::npos;
    absl::StrAppend(&line, line.empty() ? "" : " ", quote ? "'" : "", word,
                    quote ? "'" : "");
  }
  return line;
}

}  // namespace

MachineInfo DescribeMachine(const v1::Worker& worker) {
  MachineInfo info;
  info.cpu = CpuName();
  info.cores = UsableCores();
  info.memory_bytes =
      static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  info.date =
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
  info.command_line = CommandLine();
  info.version = absl::StrCat(Version());
  info.build_id = BuildId();
  info.device = worker.device();
  info.model = worker.model();
  info.dtype = worker.numerics().dtype();
  if (std::isfinite(worker.link_bytes_per_second())) {
    info.link_bytes_per_s = worker.link_bytes_per_second();
  }
  // The device names its link in its description.
  info.paced_link = absl::StrContains(worker.device(), "paced link");
  return info;
}

}  // namespace hybridserve
