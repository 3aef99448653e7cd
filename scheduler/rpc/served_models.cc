#include "scheduler/rpc/served_models.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/grpc_status.h"
#include "common/model_config_json.h"
#include "common/sha256.h"
#include "common/status_details.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

// Over names and contents, so that no two sets of files share it.
std::string HashOf(const ModelFiles& files) {
  std::string all;
  for (const std::string* content :
       {&files.config_json, &files.generation_config_json,
        &files.tokenizer_json, &files.tokenizer_config_json,
        &files.special_tokens_map_json, &files.vocab_json, &files.merges_txt}) {
    absl::StrAppend(&all, content->size(), ":", *content);
  }
  return Sha256Hex(all);
}

bool HasTokenizer(const ModelFiles& files) {
  return !(files.tokenizer_json.empty() && files.vocab_json.empty() &&
           files.merges_txt.empty());
}

}  // namespace

absl::StatusOr<const Tokenizer*> TokenizerOf(const ServedModel& model) {
  if (model.tokenizer != nullptr) return model.tokenizer.get();
  return absl::FailedPreconditionError(absl::StrCat(
      "model ", model.name, " has no tokenizer: give token_ids, no text"));
}

absl::StatusOr<std::shared_ptr<const ServedModel>> ServedModels::Load(
    const WorkerInfo& info) const {
  const std::string files_hash = HashOf(info.files);
  for (std::shared_ptr<const ServedModel>& known : List()) {
    if (known->name == info.model_name && known->files_hash == files_hash &&
        known->weights_hash == info.numerics.weights_hash) {
      return std::move(known);
    }
  }
  auto model = std::make_shared<ServedModel>();
  model->name = info.model_name;
  model->weights_hash = info.numerics.weights_hash;
  model->files_hash = files_hash;
  const ModelFiles& files = info.files;
  ASSIGN_OR_RETURN(model->config, ParseModelConfig(files.config_json));
  if (!files.generation_config_json.empty()) {
    ASSIGN_OR_RETURN(model->generation_config,
                     ParseGenerationConfig(files.generation_config_json));
  }
  if (!HasTokenizer(files)) return model;
  ASSIGN_OR_RETURN(model->tokenizer,
                   Tokenizer::Create({
                       .tokenizer_json = files.tokenizer_json,
                       .vocab_json = files.vocab_json,
                       .merges_txt = files.merges_txt,
                       .tokenizer_config_json = files.tokenizer_config_json,
                       .special_tokens_map_json = files.special_tokens_map_json,
                   }));
  return model;
}

void ServedModels::Publish(std::shared_ptr<const ServedModel> model) {
  absl::MutexLock lock(&mutex_);
  models_[model->name] = std::move(model);
}

absl::StatusOr<std::shared_ptr<const ServedModel>> ServedModels::Find(
    absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  if (models_.empty()) {
    return WithRetryDelay(
        absl::UnavailableError("no worker has registered yet"),
        absl::Seconds(1));
  }
  if (name.empty()) {
    if (models_.size() == 1) return models_.begin()->second;
    return InvalidFieldError("model", "is empty and there are several models");
  }
  const auto it = models_.find(name);
  if (it != models_.end()) return it->second;
  return WithResourceInfo(
      absl::NotFoundError(absl::StrCat("no model is named \"", name, "\"")),
      "model", name);
}

std::vector<std::shared_ptr<const ServedModel>> ServedModels::List() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<const ServedModel>> models;
  models.reserve(models_.size());
  for (const auto& [name, model] : models_) models.push_back(model);
  return models;
}

}  // namespace hybridserve
