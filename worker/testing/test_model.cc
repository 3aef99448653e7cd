#include "worker/testing/test_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "common/status_macros.h"
#include "glog/logging.h"
#include "worker/model/testing/small_models.h"

namespace hybridserve {
namespace {

float RoundTo(DType dtype, float value) {
  if (dtype == DType::kFloat32) return value;
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  bits += 0x7FFF + ((bits >> 16) & 1);
  bits &= 0xFFFF0000;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Draws arrays. Uses the generator's bits directly: the standard's
// distributions differ between libraries.
class Source {
 public:
  Source(DType dtype, uint32_t seed) : dtype_(dtype), rng_(seed) {}

  // Uniform in centre +- scale.
  std::vector<float> Draw(int64_t count, double scale, double centre,
                          DType dtype) {
    std::vector<float> values(count);
    for (float& value : values) {
      const double unit = static_cast<double>(rng_()) / 4294967296.0 * 2 - 1;
      value = RoundTo(dtype, static_cast<float>(centre + scale * unit));
    }
    return values;
  }
  std::vector<float> Matrix(int64_t n, int64_t k) {
    return Draw(n * k, 1.7 / std::sqrt(static_cast<double>(k)), 0, dtype_);
  }
  std::vector<float> Table(int64_t n, int64_t k) {
    return Draw(n * k, 1, 0, dtype_);
  }
  std::vector<float> Vector(int64_t n, double centre) {
    return Draw(n, 0.3, centre, DType::kFloat32);
  }

 private:
  const DType dtype_;
  std::mt19937 rng_;
};

// `values` in `dtype`'s bytes; they are exact in it.
std::vector<char> BytesOf(absl::Span<const float> values, DType dtype) {
  std::vector<char> bytes(values.size() * SizeOf(dtype));
  for (size_t i = 0; i < values.size(); ++i) {
    if (dtype == DType::kFloat32) {
      std::memcpy(&bytes[4 * i], &values[i], 4);
    } else {
      uint32_t bits;
      std::memcpy(&bits, &values[i], 4);
      const uint16_t high = static_cast<uint16_t>(bits >> 16);
      std::memcpy(&bytes[2 * i], &high, 2);
    }
  }
  return bytes;
}

void CopyVector(const VectorSlot& slot, absl::Span<const float> values,
                absl::Span<char> blob) {
  if (slot.size == 0) return;
  CHECK_EQ(slot.size, static_cast<int64_t>(values.size()));
  std::memcpy(&blob[slot.offset], values.data(), 4 * values.size());
}

absl::Status PackPieces(const WeightLayout& layout,
                        absl::Span<const WeightPiece> pieces,
                        const std::vector<float>& matrix,
                        absl::Span<char> blob) {
  for (const WeightPiece& piece : pieces) {
    const int64_t k = piece.shape.k;
    const auto rows = absl::MakeConstSpan(matrix).subspan(piece.first_row * k,
                                                          piece.shape.n * k);
    RETURN_IF_ERROR(layout.Pack(piece.shape, piece.shape.dtype,
                                BytesOf(rows, piece.shape.dtype),
                                blob.subspan(piece.offset, piece.bytes)));
  }
  return absl::OkStatus();
}

void CopyTable(const TablePlan& table, absl::Span<const float> values,
               absl::Span<char> blob) {
  CHECK_EQ(table.rows * table.width, static_cast<int64_t>(values.size()));
  const std::vector<char> bytes = BytesOf(values, table.dtype);
  std::copy(bytes.begin(), bytes.end(), blob.begin());
}

}  // namespace

TestModel TestModel::Random(const ModelConfig& config, DType dtype,
                            uint32_t seed) {
  Source source(dtype, seed);
  TestModel model = {.config = config};
  const int64_t h = config.hidden;
  const int64_t kv = config.kv_width();
  const int64_t q = config.num_heads * config.head_dim;
  for (int64_t layer = 0; layer < config.num_layers; ++layer) {
    const auto matrix = [&](LinearWeight which, int64_t n, int64_t k) {
      model.matrices[{layer, which}] = source.Matrix(n, k);
    };
    const auto vector = [&](LayerVector which, int64_t n, double centre,
                            bool present) {
      if (present) model.vectors[{layer, which}] = source.Vector(n, centre);
    };
    matrix(LinearWeight::kKey, kv, h);
    matrix(LinearWeight::kValue, kv, h);
    matrix(LinearWeight::kQuery, q, h);
    matrix(LinearWeight::kOutput, h, q);
    if (config.has_gate) matrix(LinearWeight::kGate, config.ffn_dim, h);
    matrix(LinearWeight::kFc1, config.ffn_dim, h);
    matrix(LinearWeight::kFc2, h, config.ffn_dim);
    vector(LayerVector::kAttentionNormGain, h, 1, config.has_norm_gain);
    vector(LayerVector::kAttentionNormBias, h, 0, config.has_norm_bias);
    vector(LayerVector::kFfnNormGain, h, 1, config.has_norm_gain);
    vector(LayerVector::kFfnNormBias, h, 0, config.has_norm_bias);
    vector(LayerVector::kKeyBias, kv, 0, config.has_qkv_bias);
    vector(LayerVector::kValueBias, kv, 0, config.has_qkv_bias);
    vector(LayerVector::kQueryBias, q, 0, config.has_qkv_bias);
    vector(LayerVector::kOutputBias, h, 0, config.has_output_bias);
    vector(LayerVector::kGateBias, config.ffn_dim, 0,
           config.has_gate && config.has_ffn_bias);
    vector(LayerVector::kFc1Bias, config.ffn_dim, 0, config.has_ffn_bias);
    vector(LayerVector::kFc2Bias, h, 0, config.has_ffn_bias);
  }
  if (config.has_final_norm) {
    if (config.has_norm_gain) model.final_norm_gain = source.Vector(h, 1);
    if (config.has_norm_bias) model.final_norm_bias = source.Vector(h, 0);
  }
  const int64_t e = config.word_embed_dim;
  if (e != h) {
    model.matrices[{-1, LinearWeight::kProjectIn}] = source.Matrix(h, e);
    model.matrices[{-1, LinearWeight::kProjectOut}] = source.Matrix(e, h);
  }
  model.token_table = source.Table(config.vocab_size, e);
  model.matrices[{-1, LinearWeight::kHead}] =
      config.tied_lm_head ? model.token_table
                          : source.Table(config.vocab_size, e);
  model.position_table = source.Table(config.position_rows(), h);
  return model;
}

absl::StatusOr<HostWeights> TestModel::Pack(Device& device,
                                            const WeightPlan& plan) const {
  ASSIGN_OR_RETURN(HostWeights weights, HostWeights::Allocate(device, plan));
  const WeightSpans spans = weights.Spans(plan);
  const WeightLayout& layout = device.weight_layout();
  for (int64_t layer = 0; layer < plan.num_layers; ++layer) {
    const absl::Span<char> blob =
        spans.layers.subspan(layer * plan.layer.bytes, plan.layer.bytes);
    for (int i = 0; i < kNumLayerVectors; ++i) {
      const auto it = vectors.find({layer, static_cast<LayerVector>(i)});
      if (it == vectors.end()) continue;
      CopyVector(plan.layer.vectors[i], it->second, blob);
    }
    for (const WeightPiece& piece : plan.layer.pieces) {
      RETURN_IF_ERROR(PackPieces(layout, {&piece, 1},
                                 matrices.at({layer, piece.weight}), blob));
    }
  }
  RETURN_IF_ERROR(PackPieces(layout, plan.head.slices,
                             matrices.at({-1, LinearWeight::kHead}),
                             spans.head));
  CopyVector(plan.outer.final_norm_gain, final_norm_gain, spans.outer);
  CopyVector(plan.outer.final_norm_bias, final_norm_bias, spans.outer);
  if (config.word_embed_dim != config.hidden) {
    RETURN_IF_ERROR(PackPieces(layout, plan.outer.project_in,
                               matrices.at({-1, LinearWeight::kProjectIn}),
                               spans.outer));
    RETURN_IF_ERROR(PackPieces(layout, plan.outer.project_out,
                               matrices.at({-1, LinearWeight::kProjectOut}),
                               spans.outer));
  }
  CopyTable(plan.token_table, token_table, spans.token_table);
  CopyTable(plan.position_table, position_table, spans.position_table);
  return weights;
}

ModelConfig SmallOptConfig() {
  ModelConfig config;
  config.model_type = "opt";
  config.num_layers = 3;
  config.hidden = 48;
  config.num_heads = 3;
  config.num_kv_heads = 3;
  config.head_dim = 16;
  config.ffn_dim = 80;
  config.vocab_size = 211;
  config.max_positions = 96;
  config.position_offset = 2;
  config.word_embed_dim = 48;
  return config;
}

ModelConfig SmallLlamaConfig() { return AsLlama(SmallOptConfig()); }

}  // namespace hybridserve
