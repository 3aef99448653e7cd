#include "worker/model/model_tensors.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
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

bool IsLlama(const ModelConfig& config) {
  return config.architecture == Architecture::kLlama;
}

std::string LayerName(const ModelConfig& config, int64_t layer,
                      absl::string_view rest) {
  return absl::StrCat(TensorPrefix(config), "layers.", layer, ".", rest);
}

// Buffers that old versions of transformers saved: a version mark of OPT's, and
// rotary frequencies, which config.json says.
bool IsOldBuffer(const ModelConfig& config, absl::string_view name) {
  return name == absl::StrCat(TensorPrefix(config), "version") ||
         (config.has_rotary() &&
          absl::EndsWith(name, ".self_attn.rotary_emb.inv_freq"));
}

// Collects a model's tensors.
class Collector {
 public:
  explicit Collector(const ModelConfig& config) : config_(config) {}

  std::vector<ExpectedTensor> Run() {
    const int64_t h = config_.hidden;
    Outer(OuterTensor::kTokenTable, true,
          {config_.vocab_size, config_.word_embed_dim});
    Outer(OuterTensor::kPositionTable, config_.position_rows() > 0,
          {config_.position_rows(), h});
    if (config_.word_embed_dim != h) {
      Matrix(LinearWeight::kProjectIn, 0, h, config_.word_embed_dim);
      Matrix(LinearWeight::kProjectOut, 0, config_.word_embed_dim, h);
    }
    Outer(OuterTensor::kFinalNormGain,
          config_.has_final_norm && config_.has_norm_gain, {h});
    Outer(OuterTensor::kFinalNormBias,
          config_.has_final_norm && config_.has_norm_bias, {h});
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
    const int64_t ffn = config_.ffn_dim;
    const bool qkv_bias = config_.has_qkv_bias;
    const bool ffn_bias = config_.has_ffn_bias;
    Linear(layer, LinearWeight::kKey, LayerVector::kKeyBias, qkv_bias, kv, h);
    Linear(layer, LinearWeight::kValue, LayerVector::kValueBias, qkv_bias, kv,
           h);
    Linear(layer, LinearWeight::kQuery, LayerVector::kQueryBias, qkv_bias, q,
           h);
    Linear(layer, LinearWeight::kOutput, LayerVector::kOutputBias,
           config_.has_output_bias, h, q);
    if (config_.has_gate) {
      Linear(layer, LinearWeight::kGate, LayerVector::kGateBias, ffn_bias, ffn,
             h);
    }
    Linear(layer, LinearWeight::kFc1, LayerVector::kFc1Bias, ffn_bias, ffn, h);
    Linear(layer, LinearWeight::kFc2, LayerVector::kFc2Bias, ffn_bias, h, ffn);
    Vector(LayerVector::kAttentionNormGain, layer, config_.has_norm_gain, h);
    Vector(LayerVector::kAttentionNormBias, layer, config_.has_norm_bias, h);
    Vector(LayerVector::kFfnNormGain, layer, config_.has_norm_gain, h);
    Vector(LayerVector::kFfnNormBias, layer, config_.has_norm_bias, h);
  }

  void Linear(int64_t layer, LinearWeight weight, LayerVector bias,
              bool has_bias, int64_t n, int64_t k) {
    Matrix(weight, layer, n, k);
    Vector(bias, layer, has_bias, n);
  }

  void Vector(LayerVector vector, int64_t layer, bool present, int64_t n) {
    if (present) Add(TensorName(config_, vector, layer), {n});
  }

  void Outer(OuterTensor tensor, bool present, std::vector<int64_t> shape) {
    if (present) Add(TensorName(config_, tensor), std::move(shape));
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
    if (IsOldBuffer(config, name) ||
        (name == kHeadName && config.tied_lm_head)) {
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

std::string TensorPrefix(const ModelConfig& config) {
  return IsLlama(config) ? "model." : "model.decoder.";
}

std::string TensorName(const ModelConfig& config, LinearWeight weight,
                       int64_t layer) {
  const bool llama = IsLlama(config);
  const auto name = [&](absl::string_view rest) {
    return LayerName(config, layer, rest);
  };
  switch (weight) {
    case LinearWeight::kKey:
      return name("self_attn.k_proj.weight");
    case LinearWeight::kValue:
      return name("self_attn.v_proj.weight");
    case LinearWeight::kQuery:
      return name("self_attn.q_proj.weight");
    case LinearWeight::kOutput:
      return name(llama ? "self_attn.o_proj.weight"
                        : "self_attn.out_proj.weight");
    case LinearWeight::kGate:
      return name("mlp.gate_proj.weight");
    case LinearWeight::kFc1:
      return name(llama ? "mlp.up_proj.weight" : "fc1.weight");
    case LinearWeight::kFc2:
      return name(llama ? "mlp.down_proj.weight" : "fc2.weight");
    case LinearWeight::kProjectIn:
      return absl::StrCat(TensorPrefix(config), "project_in.weight");
    case LinearWeight::kProjectOut:
      return absl::StrCat(TensorPrefix(config), "project_out.weight");
    case LinearWeight::kHead:
      return config.tied_lm_head ? TensorName(config, OuterTensor::kTokenTable)
                                 : kHeadName;
  }
  LOG(FATAL) << "no such weight: " << static_cast<int>(weight);
}

std::string TensorName(const ModelConfig& config, LayerVector vector,
                       int64_t layer) {
  const bool llama = IsLlama(config);
  const auto name = [&](absl::string_view rest) {
    return LayerName(config, layer, rest);
  };
  switch (vector) {
    case LayerVector::kAttentionNormGain:
      return name(llama ? "input_layernorm.weight"
                        : "self_attn_layer_norm.weight");
    case LayerVector::kAttentionNormBias:
      return name(llama ? "input_layernorm.bias" : "self_attn_layer_norm.bias");
    case LayerVector::kKeyBias:
      return name("self_attn.k_proj.bias");
    case LayerVector::kValueBias:
      return name("self_attn.v_proj.bias");
    case LayerVector::kQueryBias:
      return name("self_attn.q_proj.bias");
    case LayerVector::kOutputBias:
      return name(llama ? "self_attn.o_proj.bias" : "self_attn.out_proj.bias");
    case LayerVector::kFfnNormGain:
      return name(llama ? "post_attention_layernorm.weight"
                        : "final_layer_norm.weight");
    case LayerVector::kFfnNormBias:
      return name(llama ? "post_attention_layernorm.bias"
                        : "final_layer_norm.bias");
    case LayerVector::kGateBias:
      return name("mlp.gate_proj.bias");
    case LayerVector::kFc1Bias:
      return name(llama ? "mlp.up_proj.bias" : "fc1.bias");
    case LayerVector::kFc2Bias:
      return name(llama ? "mlp.down_proj.bias" : "fc2.bias");
  }
  LOG(FATAL) << "no such vector: " << static_cast<int>(vector);
}

std::string TensorName(const ModelConfig& config, OuterTensor tensor) {
  const bool llama = IsLlama(config);
  const auto name = [&](absl::string_view rest) {
    return absl::StrCat(TensorPrefix(config), rest);
  };
  switch (tensor) {
    case OuterTensor::kTokenTable:
      return name("embed_tokens.weight");
    case OuterTensor::kPositionTable:
      return name("embed_positions.weight");
    case OuterTensor::kFinalNormGain:
      return name(llama ? "norm.weight" : "final_layer_norm.weight");
    case OuterTensor::kFinalNormBias:
      return name(llama ? "norm.bias" : "final_layer_norm.bias");
  }
  LOG(FATAL) << "no such tensor: " << static_cast<int>(tensor);
}

std::vector<ExpectedTensor> ModelTensors(const ModelConfig& config) {
  return Collector(config).Run();
}

absl::Status CheckTensors(const TensorSource& source,
                          const ModelConfig& config) {
  const std::vector<ExpectedTensor> expected = ModelTensors(config);
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
