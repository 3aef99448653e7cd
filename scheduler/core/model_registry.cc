#include "scheduler/core/model_registry.h"

#include "absl/strings/str_cat.h"
#include "common/status_details.h"

namespace hybridserve {

absl::Status ModelRegistry::Register(const RegisteredModel& model,
                                     bool in_use) {
  const auto it = models_.find(model.name);
  if (it != models_.end()) {
    if (it->second.weights_hash == model.weights_hash) return absl::OkStatus();
    if (in_use) {
      return absl::FailedPreconditionError(
          absl::StrCat("model ", model.name, " is served with weights ",
                       it->second.weights_hash, "; a worker brought ",
                       model.weights_hash, " (give it another --model_name)"));
    }
  }
  models_.insert_or_assign(model.name, model);
  return absl::OkStatus();
}

absl::StatusOr<const RegisteredModel*> ModelRegistry::Find(
    absl::string_view name) const {
  if (models_.empty()) {
    return absl::UnavailableError("no worker has registered a model yet");
  }
  if (name.empty() && models_.size() == 1) return &models_.begin()->second;
  if (name.empty()) {
    return InvalidFieldError(
        "model", absl::StrCat("is empty, and there are ", models_.size()));
  }
  const auto it = models_.find(name);
  if (it == models_.end()) {
    return absl::NotFoundError(absl::StrCat("model: no model ", name));
  }
  return &it->second;
}

}  // namespace hybridserve
