#include "common/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/metric_family.h"
#include "common/version.h"

namespace hybridserve {
namespace {

using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// /proc/self/stat, see proc(5).
struct ProcessStat {
  int64_t cpu_ticks = 0;  // User and system.
  int64_t threads = 0;
  int64_t start_ticks = 0;  // Since the machine started.
  int64_t virtual_bytes = 0;
  int64_t resident_pages = 0;
};

std::optional<ProcessStat> ReadStat() {
  const std::string text = ReadFile("/proc/self/stat");
  // The name may hold anything, spaces and parentheses too.
  const size_t name_end = text.rfind(") ");
  if (name_end == std::string::npos) return std::nullopt;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(text).substr(name_end + 2), ' ');
  // Numbered as in proc(5), where the field after the name is the third.
  const auto field = [&](size_t number) {
    int64_t value = 0;
    return number - 3 < fields.size() &&
                   absl::SimpleAtoi(fields[number - 3], &value)
               ? value
               : 0;
  };
  return ProcessStat{.cpu_ticks = field(14) + field(15),
                     .threads = field(20),
                     .start_ticks = field(22),
                     .virtual_bytes = field(23),
                     .resident_pages = field(24)};
}

// Seconds since the epoch when the machine started.
std::optional<int64_t> ReadBootTime() {
  const std::string text = ReadFile("/proc/stat");
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    int64_t seconds = 0;
    if (absl::StartsWith(line, "btime ") &&
        absl::SimpleAtoi(line.substr(6), &seconds)) {
      return seconds;
    }
  }
  return std::nullopt;
}

std::optional<int64_t> CountOpenFiles() {
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return std::nullopt;
  int64_t count = -1;  // The folder's own.
  // Each thread has a folder of its own to read.
  while (const dirent* entry = readdir(folder)) {  // NOLINT
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(folder);
  return count;
}

void Add(std::vector<MetricFamily>& families, const std::string& name,
         const std::string& help, MetricType type, double value) {
  MetricFamilyBuilder(families, name, help, type).Add({}, value);
}

void AddStat(const ProcessStat& stat, std::vector<MetricFamily>& families) {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  Add(families, "process_cpu_seconds_total",
      "User and system CPU time spent in seconds.", MetricType::Counter,
      static_cast<double>(stat.cpu_ticks) / ticks);
  Add(families, "process_resident_memory_bytes",
      "Resident memory size in bytes.", MetricType::Gauge,
      static_cast<double>(stat.resident_pages * sysconf(_SC_PAGESIZE)));
  Add(families, "process_virtual_memory_bytes", "Virtual memory size in bytes.",
      MetricType::Gauge, static_cast<double>(stat.virtual_bytes));
  Add(families, "process_threads", "Number of threads.", MetricType::Gauge,
      static_cast<double>(stat.threads));
  if (const auto boot = ReadBootTime(); boot.has_value()) {
    Add(families, "process_start_time_seconds",
        "Start time of the process since unix epoch in seconds.",
        MetricType::Gauge,
        static_cast<double>(*boot) +
            static_cast<double>(stat.start_ticks) / ticks);
  }
}

}  // namespace

std::vector<MetricFamily> ProcessMetrics::Collect() const {
  std::vector<MetricFamily> families;
  MetricFamilyBuilder(families, "hybridserve_build_info",
                      "1, with what tells this build from others.",
                      MetricType::Gauge)
      .Add({{"version", std::string{Version()}}, {"build_id", BuildId()}}, 1);
  if (const auto stat = ReadStat(); stat.has_value()) AddStat(*stat, families);
  if (const auto open = CountOpenFiles(); open.has_value()) {
    Add(families, "process_open_fds", "Number of open file descriptors.",
        MetricType::Gauge, static_cast<double>(*open));
  }
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    Add(families, "process_max_fds", "Maximum number of open file descriptors.",
        MetricType::Gauge, static_cast<double>(limit.rlim_cur));
  }
  return families;
}

}  // namespace hybridserve
