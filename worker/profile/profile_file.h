#ifndef HYBRIDSERVE_WORKER_PROFILE_PROFILE_FILE_H_
#define HYBRIDSERVE_WORKER_PROFILE_PROFILE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/work_profile.h"
#include "worker/offload/engine_resources.h"

namespace hybridserve {

// What a profile was measured on, in words: device, instruction set, dtype, the
// model's and the buffers' sizes. A profile serves only its own setting.
std::string ProfileSetting(const EngineResources& resources,
                           double link_bytes_per_second, int threads);

// A profile and its setting, as kept in a file (JSON).
struct SavedProfile {
  std::string setting;
  WorkProfile profile;
};

// NotFound if there is no such file; InvalidArgument, naming file and field, if
// it is not one that SaveProfile() wrote.
absl::StatusOr<SavedProfile> LoadProfile(const std::string& path);

// Writes `path` whole or not at all. Any error names the path.
absl::Status SaveProfile(const SavedProfile& saved, const std::string& path);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_PROFILE_PROFILE_FILE_H_
