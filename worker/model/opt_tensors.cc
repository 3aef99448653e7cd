#include "worker/model/opt_tensors.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/model_config.h"
#include "glog/logging.h"
#include "worker/model/tensor_source.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {
namespace {

constexpr char kHeadName[] = "lm_head.weight";
// A buffer of models converted by old versions of transformers.
constexpr char kVersionName[] = "model.decoder.version";

std::string LayerName(int64_t layer, absl::string_view rest) {
  return absl::StrCat("model.decoder.layers.", layer, ".", rest);
}

// Collects a model's tensors.
class Collector {
 public:
  explicit Collector(const ModelConfig& config) : config_(config) {}

  std::vector<ExpectedTensor> Run() {
    const int64_t h = config_.hidden;
    Add(kTokenTableName, {config_.vocab_size, config_.word_embed_dim});
    Add(kPositionTableName,
        {config_.max_positions + config_.position_offset, h});
    if (config_.word_embed_dim != h) {
      Matrix(LinearWeight::kProjectIn, 0, h, config_.word_embed_dim);
      Matrix(LinearWeight::kProjectOut, 0, config_.word_embed_dim, h);
    }
    if (config_.has_final_norm && config_.has_norm_affine) {
      Add(kFinalNormGainName, {h});
      Add(kFinalNormBiasName, {h});
    }
    for (int64_t layer = 0; layer < config_.num_layers; ++layer) {
      AddLayer(layer);
    }
    if (!config_.tied_lm_head) {
      Matrix(LinearWeight::kHead, 0, config_.vocab_size,
             config_.word_embed_dim);
    }
    return std::move(tensors_);
  }

 private:
  void AddLayer(int64_t layer) {
    const int64_t h = config_.hidden;
    const int64_t q = config_.num_heads * config_.head_dim;
    const int64_t kv = config_.kv_width();
    Linear(layer, LinearWeight::kKey, LayerVector::kKeyBias, kv, h);
    Linear(layer, LinearWeight::kValue, LayerVector::kValueBias, kv, h);
    Linear(layer, LinearWeight::kQuery, LayerVector::kQueryBias, q, h);
    Linear(layer, LinearWeight::kOutput, LayerVector::kOutputBias, h, q);
    Linear(layer, LinearWeight::kFc1, LayerVector::kFc1Bias, config_.ffn_dim,
           h);
    Linear(layer, LinearWeight::kFc2, LayerVector::kFc2Bias, h,
           config_.ffn_dim);
    if (!config_.has_norm_affine) return;
    for (const LayerVector vector :
         {LayerVector::kAttentionNormGain, LayerVector::kAttentionNormBias,
          LayerVector::kFfnNormGain, LayerVector::kFfnNormBias}) {
      Add(TensorName(vector, layer), {h});
    }
  }

  void Linear(int64_t layer, LinearWeight weight, LayerVector bias, int64_t n,
              int64_t k) {
    Matrix(weight, layer, n, k);
    if (config_.has_bias) Add(TensorName(bias, layer), {n});
  }

  void Matrix(LinearWeight weight, int64_t layer, int64_t n, int64_t k) {
    Add(TensorName(config_, weight, layer), {n, k});
  }

  void Add(std::string name, std::vector<int64_t> shape) {
    tensors_.push_back({std::move(name), std::move(shape)});
  }

  const ModelConfig& config_;
  std::vector<ExpectedTensor> tensors_;
};

std::string Text(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

absl::Status WrongTensor(absl::string_view file, absl::string_view name,
                         absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      file, ": tensor ", absl::Utf8SafeCHexEscape(name), ": ", why));
}

// Refuses what the model has no place for: a config that does not belong to
// these weights would else give text, only wrong text.
absl::Status CheckNoOthers(const TensorSource& source,
                           const ModelConfig& config,
                           const std::vector<ExpectedTensor>& expected) {
  absl::flat_hash_set<absl::string_view> known;
  for (const ExpectedTensor& tensor : expected) known.insert(tensor.name);
  std::vector<std::string> ignored;
  for (std::string& name : source.Names()) {
    if (known.contains(name)) continue;
    if (name == kVersionName || (name == kHeadName && config.tied_lm_head)) {
      ignored.push_back(std::move(name));
      continue;
    }
    return WrongTensor(source.Find(name)->origin, name,
                       "the model that config.json describes has no such "
                       "tensor");
  }
  for (const std::string& name : ignored) {
    LOG(INFO) << "tensor ignored: " << name;
  }
  return absl::OkStatus();
}

}  // namespace

std::string TensorName(const ModelConfig& config, LinearWeight weight,
                       int64_t layer) {
  switch (weight) {
    case LinearWeight::kKey:
      return LayerName(layer, "self_attn.k_proj.weight");
    case LinearWeight::kValue:
      return LayerName(layer, "self_attn.v_proj.weight");
    case LinearWeight::kQuery:
      return LayerName(layer, "self_attn.q_proj.weight");
    case LinearWeight::kOutput:
      return LayerName(layer, "self_attn.out_proj.weight");
    case LinearWeight::kFc1:
      return LayerName(layer, "fc1.weight");
    case LinearWeight::kFc2:
      return LayerName(layer, "fc2.weight");
    case LinearWeight::kProjectIn:
      return "model.decoder.project_in.weight";
    case LinearWeight::kProjectOut:
      return "model.decoder.project_out.weight";
    case LinearWeight::kHead:
      return config.tied_lm_head ? kTokenTableName : kHeadName;
  }
  LOG(FATAL) << "no such weight: " << static_cast<int>(weight);
}

std::string TensorName(LayerVector vector, int64_t layer) {
  switch (vector) {
    case LayerVector::kAttentionNormGain:
      return LayerName(layer, "self_attn_layer_norm.weight");
    case LayerVector::kAttentionNormBias:
      return LayerName(layer, "self_attn_layer_norm.bias");
    case LayerVector::kKeyBias:
      return LayerName(layer, "self_attn.k_proj.bias");
    case LayerVector::kValueBias:
      return LayerName(layer, "self_attn.v_proj.bias");
    case LayerVector::kQueryBias:
      return LayerName(layer, "self_attn.q_proj.bias");
    case LayerVector::kOutputBias:
      return LayerName(layer, "self_attn.out_proj.bias");
    case LayerVector::kFfnNormGain:
      return LayerName(layer, "final_layer_norm.weight");
    case LayerVector::kFfnNormBias:
      return LayerName(layer, "final_layer_norm.bias");
    case LayerVector::kFc1Bias:
      return LayerName(layer, "fc1.bias");
    case LayerVector::kFc2Bias:
      return LayerName(layer, "fc2.bias");
  }
  LOG(FATAL) << "no such vector: " << static_cast<int>(vector);
}

std::vector<ExpectedTensor> OptTensors(const ModelConfig& config) {
  return Collector(config).Run();
}

absl::Status CheckTensors(const TensorSource& source,
                          const ModelConfig& config) {
  const std::vector<ExpectedTensor> expected = OptTensors(config);
  for (const ExpectedTensor& tensor : expected) {
    const TensorInfo* info = source.Find(tensor.name);
    if (info == nullptr) {
      return WrongTensor(source.origin(), tensor.name, "missing");
    }
    if (info->shape != tensor.shape) {
      return WrongTensor(
          info->origin, tensor.name,
          absl::StrCat("shape is ", Text(info->shape), "; config.json wants ",
                       Text(tensor.shape)));
    }
  }
  return CheckNoOthers(source, config, expected);
}

}  // namespace hybridserve
