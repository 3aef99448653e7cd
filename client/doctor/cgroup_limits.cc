#include "client/doctor/cgroup_limits.h"

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace hybridserve {
namespace {

// v1 says so where there is no limit: the largest whole page.
constexpr int64_t kNoLimitV1 = int64_t{1} << 62;

template <typename T>
void Lower(std::optional<T> value, std::optional<T>& least) {
  if (!value.has_value()) return;
  if (!least.has_value() || *value < *least) least = value;
}

// `visit` sees the folder of the cgroup `path` ("/a/b") and of each parent,
// down to the mount itself.
void VisitUpwards(const std::string& mount, std::string path,
                  absl::FunctionRef<void(const std::string& folder)> visit) {
  while (!path.empty() && path != "/") {
    visit(absl::StrCat(mount, path));
    path.resize(path.rfind('/'));
  }
  visit(mount);
}

// "200000 100000": microseconds of a period, and the period.
std::optional<double> ReadCpuMax(const SystemTree& tree,
                                 const std::string& path) {
  const std::vector<std::string> words =
      absl::StrSplit(tree.Read(path).value_or(""), ' ', absl::SkipEmpty());
  double quota = 0;
  double period = 0;
  if (words.size() != 2 || !absl::SimpleAtod(words[0], &quota) ||
      !absl::SimpleAtod(words[1], &period) || !(period > 0)) {
    return std::nullopt;  // "max 100000" too.
  }
  return quota / period;
}

std::optional<double> ReadCpuQuota(const SystemTree& tree,
                                   const std::string& folder) {
  const auto quota = tree.ReadNumber(folder + "/cpu.cfs_quota_us");
  const auto period = tree.ReadNumber(folder + "/cpu.cfs_period_us");
  if (!quota.has_value() || *quota <= 0 || period.value_or(0) <= 0) {
    return std::nullopt;
  }
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

void ReadV2(const SystemTree& tree, const std::string& path,
            CgroupLimits& limits) {
  VisitUpwards("/sys/fs/cgroup", path, [&](const std::string& folder) {
    Lower(tree.ReadNumber(folder + "/memory.max"), limits.memory_bytes);
    Lower(ReadCpuMax(tree, folder + "/cpu.max"), limits.cpus);
  });
}

void ReadV1(const SystemTree& tree, absl::string_view controller,
            const std::string& path, CgroupLimits& limits) {
  if (controller == "memory") {
    limits.version = 1;
    VisitUpwards("/sys/fs/cgroup/memory", path, [&](const std::string& folder) {
      const auto limit = tree.ReadNumber(folder + "/memory.limit_in_bytes");
      if (limit.value_or(kNoLimitV1) < kNoLimitV1) {
        Lower(limit, limits.memory_bytes);
      }
    });
  } else if (controller == "cpu") {
    // Mounted with its sister, and mostly linked to by its own name.
    for (const char* mount :
         {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"}) {
      VisitUpwards(mount, path, [&](const std::string& folder) {
        Lower(ReadCpuQuota(tree, folder), limits.cpus);
      });
    }
  }
}

}  // namespace

CgroupLimits ReadCgroupLimits(const SystemTree& tree) {
  CgroupLimits limits;
  const std::string cgroups = tree.Read("/proc/self/cgroup").value_or("");
  for (absl::string_view line : absl::StrSplit(cgroups, '\n')) {
    // "0::/path" is v2; "4:cpu,cpuacct:/path" is v1.
    const std::vector<std::string> fields =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() < 3 || !absl::StartsWith(fields[2], "/")) continue;
    if (fields[0] == "0" && fields[1].empty()) {
      if (tree.Read("/sys/fs/cgroup/cgroup.controllers").has_value()) {
        limits.version = 2;
      }
      ReadV2(tree, fields[2], limits);
    }
    for (absl::string_view controller : absl::StrSplit(fields[1], ',')) {
      ReadV1(tree, controller, fields[2], limits);
    }
  }
  return limits;
}

}  // namespace hybridserve
