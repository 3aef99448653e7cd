#ifndef HYBRIDSERVE_WORKER_MODEL_MODEL_FOLDER_H_
#define HYBRIDSERVE_WORKER_MODEL_MODEL_FOLDER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/dtype.h"
#include "common/model_config.h"
#include "common/worker_info.h"
#include "worker/model/tensor_source.h"

namespace hybridserve {

// A model that is ready to be loaded: its files read, its config understood,
// its tensors found and checked, none of its weights read.
struct ModelFolder {
  ModelFiles files;
  ModelConfig config;
  std::unique_ptr<TensorSource> tensors;  // Has passed CheckTensors.
  // F32, F16 or BF16 of the bulk of the weights: what dtype=auto goes by.
  DType checkpoint_dtype = DType::kFloat32;
};

// Opens the Hugging Face folder `path`, as cheaply as can be: headers only.
// With `random_weights` no weight file is looked at: the weights are made from
// that seed. Errors name file, tensor or field, and reason: NotFound,
// InvalidArgument, FailedPrecondition (PyTorch files only).
absl::StatusOr<ModelFolder> OpenModelFolder(
    const std::string& path, std::optional<uint64_t> random_weights);

// What a model goes by unless it is told: "models/demo/" -> "demo"; "." -> the
// real folder's name.
std::string ModelFolderName(const std::string& path);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_MODEL_FOLDER_H_
