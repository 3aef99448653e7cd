#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/doctor/findings.h"
#include "common/size.h"

namespace hybridserve {
namespace {

constexpr int64_t kLittleMemory = int64_t{1} << 30;
// Connections are one each; models, logs and libraries are a few dozen.
constexpr int64_t kFewFiles = 1024;

Finding Ok(absl::string_view check, std::string what) {
  return {std::string{check}, Severity::kOk, std::move(what), ""};
}

Finding Warning(absl::string_view check, std::string what, std::string advice) {
  return {std::string{check}, Severity::kWarning, std::move(what),
          std::move(advice)};
}

Finding Cores(const DoctorFacts& facts) {
  const HostFacts& host = facts.host;
  constexpr absl::string_view kCheck = "cpu limit";
  if (!host.cgroup_cpus.has_value() ||
      (host.cores > 0 && *host.cgroup_cpus >= host.cores)) {
    return Ok(kCheck,
              absl::StrCat(host.cores, " cores, no tighter cgroup limit"));
  }
  const int threads =
      std::max(1, static_cast<int>(std::floor(*host.cgroup_cpus)));
  std::string what =
      absl::StrFormat("%d cores, but the cgroup allows %.3g CPUs", host.cores,
                      *host.cgroup_cpus);
  if (facts.threads > 0 && facts.threads <= *host.cgroup_cpus) {
    return Ok(kCheck, absl::StrCat(what, "; --threads=", facts.threads,
                                   " keeps to it"));
  }
  return Warning(
      kCheck, std::move(what),
      absl::StrCat("give --threads=", threads,
                   ", or raise the limit: a thread for each core is stopped "
                   "in the middle of steps"));
}

Finding Memory(const HostFacts& host) {
  constexpr absl::string_view kCheck = "memory";
  if (!host.available_bytes.has_value()) {
    return Warning(kCheck, "/proc/meminfo can't be read",
                   "mount /proc: without it a worker does not start");
  }
  std::string what = absl::StrCat(FormatSize(*host.available_bytes), " of ",
                                  FormatSize(host.memory_bytes),
                                  " can be had (", host.available_reason, ")");
  if (host.cgroup_memory_bytes.has_value()) {
    absl::StrAppend(&what, "; cgroup v", host.cgroup_version, " limit ",
                    FormatSize(*host.cgroup_memory_bytes));
  }
  if (*host.available_bytes >= kLittleMemory) return Ok(kCheck, what);
  return Warning(kCheck, what,
                 "free memory or raise the cgroup's limit: weights and cache "
                 "live in it");
}

Finding LockedMemory(const DoctorFacts& facts) {
  const HostFacts& host = facts.host;
  constexpr absl::string_view kCheck = "locked memory";
  if (!host.limits_known) return Ok(kCheck, "the limit can't be read");
  if (!host.max_locked_bytes.has_value()) return Ok(kCheck, "unlimited");
  std::string what = absl::StrCat("limit ", FormatSize(*host.max_locked_bytes));
  const bool has_gpu = !host.gpus.empty() || facts.cuda.devices > 0;
  if (!has_gpu) return Ok(kCheck, what + "; the cpu device locks none");
  if (facts.model.has_value() && facts.model->status.ok() &&
      facts.model->host_bytes <= *host.max_locked_bytes) {
    return Ok(kCheck, what + ", enough for the model's pinned memory");
  }
  if (facts.model.has_value() && facts.model->status.ok()) {
    absl::StrAppend(&what, "; the model pins ",
                    FormatSize(facts.model->host_bytes));
  }
  return Warning(
      kCheck, what,
      "should the worker log that memory \"is not pinned\", raise it: ulimit "
      "-l unlimited, LimitMEMLOCK=infinity (systemd), or --ulimit memlock=-1 "
      "(containers)");
}

Finding OpenFiles(const HostFacts& host) {
  constexpr absl::string_view kCheck = "open files";
  if (!host.limits_known) return Ok(kCheck, "the limit can't be read");
  if (!host.max_open_files.has_value()) return Ok(kCheck, "unlimited");
  std::string what = absl::StrCat("limit ", *host.max_open_files);
  if (*host.max_open_files >= kFewFiles) return Ok(kCheck, what);
  return Warning(kCheck, what,
                 "raise it (ulimit -n 65536, LimitNOFILE=65536): a scheduler "
                 "needs one for each client and worker");
}

Finding Numa(const DoctorFacts& facts) {
  const HostFacts& host = facts.host;
  constexpr absl::string_view kCheck = "numa";
  if (host.numa_nodes <= 1) return Ok(kCheck, "one node");
  const std::string nodes = absl::StrCat(host.numa_nodes, " nodes");
  if (host.gpus.empty()) {
    return Warning(
        kCheck, absl::StrCat(nodes, ", and no GPU whose node to prefer"),
        "run one worker a node: numactl --cpunodebind=N --membind=N worker "
        "...");
  }
  std::string places;
  for (const PciGpu& gpu : host.gpus) {
    if (!gpu.numa_node.has_value()) {
      return Warning(
          kCheck,
          absl::StrCat(nodes, "; that of GPU ", gpu.address, " is unknown"),
          "find it with `nvidia-smi topo -m` and start the worker under "
          "numactl --cpunodebind=N --preferred=N: copies from another node are "
          "slower");
    }
    absl::StrAppend(&places, places.empty() ? "" : ", ", gpu.address,
                    " on node ", *gpu.numa_node);
  }
  return Ok(kCheck, absl::StrCat(nodes, "; GPU ", places,
                                 ", from where a worker takes its memory"));
}

Finding HugePages(const HostFacts& host) {
  constexpr absl::string_view kCheck = "transparent huge pages";
  const std::string& mode = host.transparent_huge_pages;
  if (mode.empty()) return Ok(kCheck, "the kernel has none");
  if (mode != "never") return Ok(kCheck, mode);
  return Warning(kCheck, "never",
                 "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled: "
                 "the worker asks for them for weights and cache");
}

Finding ReservedHugePages(const HostFacts& host) {
  constexpr absl::string_view kCheck = "reserved huge pages";
  if (host.reserved_huge_bytes == 0) return Ok(kCheck, "none");
  return Warning(
      kCheck, FormatSize(host.reserved_huge_bytes),
      "lower vm.nr_hugepages unless another program needs them: the worker "
      "can't use reserved pages, and they are missing elsewhere");
}

Finding ClockSource(const HostFacts& host) {
  constexpr absl::string_view kCheck = "clock";
  const std::string& source = host.clock_source;
  if (source.empty()) return Ok(kCheck, "the kernel does not say its source");
  for (const absl::string_view slow : {"hpet", "acpi_pm", "jiffies", "pit"}) {
    if (source != slow) continue;
    return Warning(kCheck, source,
                   "boot with clocksource=tsc if the machine's is stable: each "
                   "look at this clock enters the kernel, and steps look at it "
                   "often");
  }
  return Ok(kCheck, source);
}

}  // namespace

std::vector<Finding> DiagnoseHost(const DoctorFacts& facts) {
  const HostFacts& host = facts.host;
  return {Cores(facts),
          Memory(host),
          LockedMemory(facts),
          OpenFiles(host),
          Numa(facts),
          HugePages(host),
          ReservedHugePages(host),
          ClockSource(host)};
}

}  // namespace hybridserve
