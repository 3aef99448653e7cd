#ifndef HYBRIDSERVE_SCHEDULER_CORE_MODEL_REGISTRY_H_
#define HYBRIDSERVE_SCHEDULER_CORE_MODEL_REGISTRY_H_

#include <string>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model_config.h"

namespace hybridserve {

// A model that some worker has brought.
struct RegisteredModel {
  std::string name;
  std::string weights_hash;
  ModelConfig config;
};

// The models by name. They stay when their workers leave, so that requests can
// wait for a worker that restarts.
//
// Thread-compatible.
class ModelRegistry {
 public:
  // Adds a model, or takes it as known. A name of other weights is replaced,
  // or FailedPrecondition if `in_use`.
  absl::Status Register(const RegisteredModel& model, bool in_use);

  // The model of that name; the only one for an empty name. The pointer lives
  // until the next Register(). Unavailable if there is none at all, NotFound,
  // or InvalidArgument for an empty name and several models.
  absl::StatusOr<const RegisteredModel*> Find(absl::string_view name) const;

  const absl::btree_map<std::string, RegisteredModel>& models() const {
    return models_;
  }

 private:
  absl::btree_map<std::string, RegisteredModel> models_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_MODEL_REGISTRY_H_
