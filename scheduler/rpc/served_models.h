#ifndef HYBRIDSERVE_SCHEDULER_RPC_SERVED_MODELS_H_
#define HYBRIDSERVE_SCHEDULER_RPC_SERVED_MODELS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/generation_config.h"
#include "common/model_config.h"
#include "common/worker_info.h"
#include "scheduler/tokenizer/tokenizer.h"

namespace hybridserve {

// What the services know of a model beside its weights. Immutable.
struct ServedModel {
  std::string name;
  std::string weights_hash;
  std::string files_hash;  // SHA-256 of the files below.
  ModelConfig config;
  GenerationConfig generation_config;  // Empty where the folder has none.
  // Null where the folder has no tokenizer at all (--random_weights): then
  // requests give token ids and the output has no text.
  std::unique_ptr<const Tokenizer> tokenizer;
};

// The model's tokenizer; FailedPrecondition if it has none.
absl::StatusOr<const Tokenizer*> TokenizerOf(const ServedModel& model);

// The models that workers have brought, each with one tokenizer, by name. They
// stay when their workers leave, as requests may wait for one to come back.
//
// Thread-safe.
class ServedModels {
 public:
  // Reads the files of a worker that registers; or finds that they are known.
  // InvalidArgument, naming file and field.
  absl::StatusOr<std::shared_ptr<const ServedModel>> Load(
      const WorkerInfo& info) const;

  // Makes `model` the one of its name: the core has accepted its worker.
  void Publish(std::shared_ptr<const ServedModel> model);

  // The model of that name; the only one for an empty name. Shared, as calls
  // outlive a model that is replaced. NotFound (with ResourceInfo);
  // Unavailable if there is none at all; InvalidArgument naming the field
  // `model` for an empty name and several models.
  absl::StatusOr<std::shared_ptr<const ServedModel>> Find(
      absl::string_view name) const;

  // All, by name.
  std::vector<std::shared_ptr<const ServedModel>> List() const;

 private:
  mutable absl::Mutex mutex_;
  absl::btree_map<std::string, std::shared_ptr<const ServedModel>> models_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_SERVED_MODELS_H_
