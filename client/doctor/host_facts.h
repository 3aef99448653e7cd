#ifndef HYBRIDSERVE_CLIENT_DOCTOR_HOST_FACTS_H_
#define HYBRIDSERVE_CLIENT_DOCTOR_HOST_FACTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/doctor/system_tree.h"

namespace hybridserve {

// An NVIDIA GPU as the PCI bus shows it, driver or not.
struct PciGpu {
  std::string address;           // "0000:41:00.0"
  std::optional<int> numa_node;  // Unset: the machine does not say.
  std::optional<int> lanes;      // In use.
  std::optional<int> max_lanes;  // That the GPU has.
};

// What /proc and /sys say of the machine and of this process. What they don't
// say is unset. Plain data.
struct HostFacts {
  int cores = 0;             // That the process may run on; 0: unknown.
  int64_t memory_bytes = 0;  // Of the machine; 0: unknown.
  // What is left for this process, and which limit that comes from.
  std::optional<int64_t> available_bytes;
  std::string available_reason;

  int cgroup_version = 0;  // Of the memory controller; 0: none.
  std::optional<int64_t> cgroup_memory_bytes;  // The tightest limit.
  std::optional<double> cgroup_cpus;           // Likewise.

  // Of this process. Unset: no limit, where `limits_known`.
  bool limits_known = false;
  std::optional<int64_t> max_locked_bytes;
  std::optional<int64_t> max_open_files;

  int numa_nodes = 0;  // With memory; 0: the kernel knows no nodes.
  std::vector<PciGpu> gpus;

  std::string transparent_huge_pages;  // "always", "madvise", "never", or "".
  int64_t reserved_huge_bytes = 0;     // Kept for whoever asks for them.

  std::string clock_source;           // "tsc"; empty: unknown.
  std::string nvidia_driver_version;  // Of the kernel's module; empty: none.
};

// Looks at it all; files that are missing leave facts unset.
HostFacts ReadHostFacts(const SystemTree& tree);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_DOCTOR_HOST_FACTS_H_
