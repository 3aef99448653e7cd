#ifndef HYBRIDSERVE_WORKER_HOST_LIMIT_H_
#define HYBRIDSERVE_WORKER_HOST_LIMIT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace hybridserve {

// What the machine and the process's cgroup still give.
struct HostLimit {
  int64_t available_bytes = 0;
  std::string reason;  // Which of them binds, for messages.
};

// The smallest of /proc/meminfo's MemAvailable and, for the process's cgroup
// (v1 or v2) and each of its parents that has a memory limit, the limit less
// what is in use; page cache that can be dropped counts as free. `root` stands
// before all paths (tests). Unavailable if meminfo can't be read; cgroup files
// that are missing or say "max" limit nothing.
absl::StatusOr<HostLimit> ReadHostLimit(const std::string& root = "");

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_HOST_LIMIT_H_
