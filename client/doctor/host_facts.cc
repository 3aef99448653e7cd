#include "client/doctor/host_facts.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "client/doctor/cgroup_limits.h"
#include "worker/host_limit.h"

namespace hybridserve {
namespace {

constexpr absl::string_view kNvidia = "0x10de";
constexpr absl::string_view kDisplayClass = "0x03";

// How many numbers "0-3,8" names.
int CountOfList(absl::string_view list) {
  int count = 0;
  for (absl::string_view range : absl::StrSplit(list, ',', absl::SkipEmpty())) {
    const std::vector<std::string> ends = absl::StrSplit(range, '-');
    int first = 0;
    int last = 0;
    if (!absl::SimpleAtoi(ends.front(), &first) ||
        !absl::SimpleAtoi(ends.back(), &last)) {
      continue;
    }
    count += std::max(0, last - first + 1);
  }
  return count;
}

// The soft limit in the line of /proc/self/limits that begins with `name`.
// False: there is no such line.
bool ReadLimit(const SystemTree& tree, absl::string_view name,
               std::optional<int64_t>& limit) {
  const auto values = tree.ReadField("/proc/self/limits", name);
  if (!values.has_value()) return false;
  const absl::string_view soft =
      absl::string_view(*values).substr(0, values->find(' '));
  int64_t number = 0;
  limit = absl::SimpleAtoi(soft, &number) ? std::optional(number)
                                          : std::nullopt;  // "unlimited"
  return true;
}

// "always [madvise] never" -> "madvise"
std::string Chosen(const std::string& text) {
  const size_t begin = text.find('[');
  const size_t end = text.find(']');
  if (begin == std::string::npos || end == std::string::npos) return "";
  return text.substr(begin + 1, end - begin - 1);
}

// Of all page sizes. Folders are named "hugepages-2048kB".
int64_t ReservedHugeBytes(const SystemTree& tree) {
  const std::string folder = "/sys/kernel/mm/hugepages";
  int64_t bytes = 0;
  for (const std::string& name : tree.List(folder)) {
    absl::string_view size = name;
    int64_t kib = 0;
    if (!absl::ConsumePrefix(&size, "hugepages-") ||
        !absl::ConsumeSuffix(&size, "kB") || !absl::SimpleAtoi(size, &kib)) {
      continue;
    }
    bytes += kib * 1024 *
             tree.ReadNumber(absl::StrCat(folder, "/", name, "/nr_hugepages"))
                 .value_or(0);
  }
  return bytes;
}

int NumaNodes(const SystemTree& tree) {
  const std::string folder = "/sys/devices/system/node";
  if (const auto list = tree.Read(folder + "/has_memory"); list.has_value()) {
    return CountOfList(*list);
  }
  const std::vector<std::string> names = tree.List(folder);
  return static_cast<int>(
      std::count_if(names.begin(), names.end(), [](const std::string& name) {
        int number = 0;
        absl::string_view text = name;
        return absl::ConsumePrefix(&text, "node") &&
               absl::SimpleAtoi(text, &number);
      }));
}

std::optional<int> SmallNumber(const SystemTree& tree,
                               const std::string& path) {
  const std::optional<int64_t> number = tree.ReadNumber(path);
  if (!number.has_value() || *number < 0 || *number > 65535) {
    return std::nullopt;
  }
  return static_cast<int>(*number);
}

std::vector<PciGpu> FindGpus(const SystemTree& tree) {
  const std::string devices = "/sys/bus/pci/devices";
  std::vector<PciGpu> gpus;
  for (const std::string& address : tree.List(devices)) {
    const std::string folder = absl::StrCat(devices, "/", address);
    if (tree.Read(folder + "/vendor") != kNvidia ||
        !absl::StartsWith(tree.Read(folder + "/class").value_or(""),
                          kDisplayClass)) {
      continue;
    }
    gpus.push_back(
        {.address = address,
         .numa_node = SmallNumber(tree, folder + "/numa_node"),
         .lanes = SmallNumber(tree, folder + "/current_link_width"),
         .max_lanes = SmallNumber(tree, folder + "/max_link_width")});
  }
  return gpus;
}

// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.161.08  Tue ..."
std::string NvidiaDriverVersion(const SystemTree& tree) {
  const std::string text =
      tree.ReadField("/proc/driver/nvidia/version", "NVRM version")
          .value_or("");
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    double number = 0;
    const std::vector<std::string> parts = absl::StrSplit(word, '.');
    if (parts.size() >= 2 && absl::SimpleAtod(parts[0], &number)) {
      return std::string{word};
    }
  }
  return "";
}

int64_t MemoryBytes(const SystemTree& tree) {
  const std::string text =
      tree.ReadField("/proc/meminfo", "MemTotal").value_or("");
  int64_t kib = 0;
  return absl::SimpleAtoi(text.substr(0, text.find(' ')), &kib) ? kib * 1024
                                                                : 0;
}

}  // namespace

HostFacts ReadHostFacts(const SystemTree& tree) {
  HostFacts facts;
  facts.cores = CountOfList(
      tree.ReadField("/proc/self/status", "Cpus_allowed_list").value_or(""));
  facts.memory_bytes = MemoryBytes(tree);
  if (const auto limit = ReadHostLimit(tree.root()); limit.ok()) {
    facts.available_bytes = limit->available_bytes;
    facts.available_reason = limit->reason;
  }
  const CgroupLimits cgroup = ReadCgroupLimits(tree);
  facts.cgroup_version = cgroup.version;
  facts.cgroup_memory_bytes = cgroup.memory_bytes;
  facts.cgroup_cpus = cgroup.cpus;
  facts.limits_known =
      ReadLimit(tree, "Max locked memory", facts.max_locked_bytes) &&
      ReadLimit(tree, "Max open files", facts.max_open_files);
  facts.numa_nodes = NumaNodes(tree);
  facts.gpus = FindGpus(tree);
  facts.transparent_huge_pages = Chosen(
      tree.Read("/sys/kernel/mm/transparent_hugepage/enabled").value_or(""));
  facts.reserved_huge_bytes = ReservedHugeBytes(tree);
  facts.clock_source = tree.Read(
                               "/sys/devices/system/clocksource/clocksource0/"
                               "current_clocksource")
                           .value_or("");
  facts.nvidia_driver_version = NvidiaDriverVersion(tree);
  return facts;
}

}  // namespace hybridserve
