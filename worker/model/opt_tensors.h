#ifndef HYBRIDSERVE_WORKER_MODEL_OPT_TENSORS_H_
#define HYBRIDSERVE_WORKER_MODEL_OPT_TENSORS_H_

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

// Names of what stands outside the layers.
inline constexpr char kTokenTableName[] = "model.decoder.embed_tokens.weight";
inline constexpr char kPositionTableName[] =
    "model.decoder.embed_positions.weight";
inline constexpr char kFinalNormGainName[] =
    "model.decoder.final_layer_norm.weight";
inline constexpr char kFinalNormBiasName[] =
    "model.decoder.final_layer_norm.bias";

// The tensor that a matrix is read from. `layer` counts for a layer's own ones
// only; a tied head is the token table.
std::string TensorName(const ModelConfig& config, LinearWeight weight,
                       int64_t layer);
std::string TensorName(LayerVector vector, int64_t layer);

// Every tensor of an OPT model with this config, in an order that depends on
// nothing else: tables, projections, final norm, layers, head. Linear weights
// are [output features, input features].
std::vector<ExpectedTensor> OptTensors(const ModelConfig& config);

// OK if `source` holds exactly OptTensors, each with its shape. A head beside a
// tied one and old version marks are ignored, with a line in the log.
// InvalidArgument otherwise, naming file, tensor and reason.
absl::Status CheckTensors(const TensorSource& source,
                          const ModelConfig& config);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_OPT_TENSORS_H_
