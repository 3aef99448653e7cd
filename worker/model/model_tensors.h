#ifndef HYBRIDSERVE_WORKER_MODEL_MODEL_TENSORS_H_
#define HYBRIDSERVE_WORKER_MODEL_MODEL_TENSORS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/model_config.h"
#include "worker/model/tensor_source.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {

// A tensor that a checkpoint must hold.
struct ExpectedTensor {
  std::string name;
  std::vector<int64_t> shape;
};

// What every name in a checkpoint of this model begins with, but for the
// head's: "model.decoder." of OPT, "model." of Llama.
std::string TensorPrefix(const ModelConfig& config);

// What stands outside the layers.
enum class OuterTensor {
  kTokenTable,
  kPositionTable,
  kFinalNormGain,
  kFinalNormBias,
};

// The tensor that something is read from. `layer` counts for a layer's own ones
// only; a tied head is the token table.
std::string TensorName(const ModelConfig& config, LinearWeight weight,
                       int64_t layer);
std::string TensorName(const ModelConfig& config, LayerVector vector,
                       int64_t layer);
std::string TensorName(const ModelConfig& config, OuterTensor tensor);

// Every tensor of a model with this config, in an order that depends on nothing
// else: tables, projections, final norm, layers, head. Linear weights
// are [output features, input features].
std::vector<ExpectedTensor> ModelTensors(const ModelConfig& config);

// OK if `source` holds exactly ModelTensors, each with its shape. A head beside
// a tied one and old version marks are ignored, with a line in the log.
// InvalidArgument otherwise, naming file, tensor and reason.
absl::Status CheckTensors(const TensorSource& source,
                          const ModelConfig& config);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_MODEL_TENSORS_H_
