#ifndef HYBRIDSERVE_CLIENT_DOCTOR_CGROUP_LIMITS_H_
#define HYBRIDSERVE_CLIENT_DOCTOR_CGROUP_LIMITS_H_

#include <cstdint>
#include <optional>

#include "client/doctor/system_tree.h"

namespace hybridserve {

// The tightest limits among this process's cgroup and its parents.
struct CgroupLimits {
  int version = 0;  // Of the memory controller: 1, 2, or 0 for none.
  std::optional<int64_t> memory_bytes;
  std::optional<double> cpus;
};

// Of cgroups v1 and v2. Inside a container the path may not exist below the
// mount; then its root counts.
CgroupLimits ReadCgroupLimits(const SystemTree& tree);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_DOCTOR_CGROUP_LIMITS_H_
