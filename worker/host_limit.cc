#include "worker/host_limit.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/size.h"

namespace hybridserve {
namespace {

// A whole small file; nothing if it can't be read.
std::optional<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// A file that holds one number; nothing if it holds none ("max").
std::optional<int64_t> ReadNumber(const std::string& path) {
  const std::optional<std::string> text = ReadSmallFile(path);
  int64_t value = 0;
  if (!text.has_value() || !absl::SimpleAtoi(*text, &value)) {
    return std::nullopt;
  }
  return value;
}

// The number after `key` in lines of "key value", with or without a colon.
std::optional<int64_t> FindValue(const std::string& text,
                                 absl::string_view key) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    int64_t value = 0;
    if (words.size() >= 2 && absl::StripSuffix(words[0], ":") == key &&
        absl::SimpleAtoi(words[1], &value)) {
      return value;
    }
  }
  return std::nullopt;
}

// How a cgroup version names what we read.
struct CgroupFiles {
  std::string mount;
  const char* limit;
  const char* usage;
  const char* droppable;  // Key in memory.stat.
};

void Lower(int64_t available, const std::string& reason, HostLimit& limit) {
  available = std::max<int64_t>(available, 0);
  if (available >= limit.available_bytes) return;
  limit = {available, reason};
}

// Applies the limits of the cgroup `path` ("/a/b") and of its parents. Inside a
// container the path may not exist below the mount; then its root counts.
void ApplyCgroup(const CgroupFiles& files, std::string path, HostLimit& limit) {
  while (true) {
    const std::string dir = files.mount + (path == "/" ? "" : path) + "/";
    const std::optional<int64_t> max = ReadNumber(dir + files.limit);
    const std::optional<int64_t> used = ReadNumber(dir + files.usage);
    if (max.has_value() && used.has_value()) {
      const std::string stat = ReadSmallFile(dir + "memory.stat").value_or("");
      const int64_t droppable = FindValue(stat, files.droppable).value_or(0);
      Lower(*max - *used + std::min(droppable, *used),
            absl::StrCat("cgroup limit of ", FormatSize(*max)), limit);
    }
    if (path == "/" || path.empty()) return;
    path.resize(path.rfind('/'));
    if (path.empty()) path = "/";
  }
}

}  // namespace

absl::StatusOr<HostLimit> ReadHostLimit(const std::string& root) {
  const std::string meminfo =
      ReadSmallFile(root + "/proc/meminfo").value_or("");
  const std::optional<int64_t> available_kib =
      FindValue(meminfo, "MemAvailable");
  if (!available_kib.has_value()) {
    return absl::UnavailableError("/proc/meminfo: MemAvailable can't be read");
  }
  HostLimit limit = {*available_kib * 1024, "available memory"};
  const std::string cgroups =
      ReadSmallFile(root + "/proc/self/cgroup").value_or("");
  for (absl::string_view line : absl::StrSplit(cgroups, '\n')) {
    // "0::/path" is v2; "4:memory,x:/path" is v1.
    const std::vector<std::string> fields =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() < 3 || !absl::StartsWith(fields[2], "/")) continue;
    if (fields[0] == "0" && fields[1].empty()) {
      ApplyCgroup({root + "/sys/fs/cgroup", "memory.max", "memory.current",
                   "inactive_file"},
                  fields[2], limit);
    }
    for (absl::string_view controller : absl::StrSplit(fields[1], ',')) {
      if (controller != "memory") continue;
      ApplyCgroup({root + "/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                   "memory.usage_in_bytes", "total_inactive_file"},
                  fields[2], limit);
    }
  }
  return limit;
}

}  // namespace hybridserve
