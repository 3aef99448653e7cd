#include "worker/model/decoder.h"

#include <cmath>
#include <utility>

#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

Activation ActivationOf(ActivationFunction function) {
  switch (function) {
    case ActivationFunction::kRelu:
      return Activation::kRelu;
    case ActivationFunction::kGelu:
      return Activation::kGelu;
    case ActivationFunction::kSilu:
      return Activation::kSilu;
  }
  LOG(FATAL) << "no such function: " << static_cast<int>(function);
}

}  // namespace

absl::Status Decoder::ProjectIn(absl::Span<const PlacedPiece> weight,
                                const TensorView& tokens,
                                const TensorView& hidden) {
  return Linear(weight, {}, tokens, hidden, {.accumulate = true});
}

absl::Status Decoder::RebuildKv(LayerWeights& weights, const TensorView& act,
                                const TensorView& k, const TensorView& v,
                                const std::vector<int32_t>& positions) {
  RETURN_IF_ERROR(
      Apply(weights, LinearWeight::kKey, LayerVector::kKeyBias, act, k, {}));
  RETURN_IF_ERROR(Rotate(k, positions));
  return Apply(weights, LinearWeight::kValue, LayerVector::kValueBias, act, v,
               {});
}

absl::Status Decoder::Rotate(const TensorView& x,
                             const std::vector<int32_t>& positions) {
  if (!config_.has_rotary()) return absl::OkStatus();
  return ops_.Rotary(compute_, {.x = x,
                                .head_dim = config_.head_dim,
                                .frequencies = config_.rotary_frequencies,
                                .positions = positions});
}

absl::Status Decoder::ComputeKv(LayerWeights& weights, const LayerRows& rows) {
  if (config_.pre_norm) {
    RETURN_IF_ERROR(Norm(weights, LayerVector::kAttentionNormGain,
                         LayerVector::kAttentionNormBias, rows.hidden,
                         rows.act));
  } else {
    RETURN_IF_ERROR(ops_.Convert(compute_, {.x = rows.hidden, .y = rows.act}));
  }
  return RebuildKv(weights, rows.act, rows.k, rows.v, rows.positions);
}

absl::Status Decoder::ComputeQkv(LayerWeights& weights, const LayerRows& rows) {
  RETURN_IF_ERROR(ComputeKv(weights, rows));
  const TensorView q = rows.wide.Cols(0, config_.num_heads * config_.head_dim);
  RETURN_IF_ERROR(Apply(weights, LinearWeight::kQuery, LayerVector::kQueryBias,
                        rows.act, q, {}));
  return Rotate(q, rows.positions);
}

absl::Status Decoder::Attend(const LayerRows& rows,
                             std::vector<AttentionSequence> sequences) {
  const int64_t attention_width = config_.num_heads * config_.head_dim;
  return ops_.Attention(
      compute_,
      {.q = rows.wide.Cols(0, attention_width),
       .new_k = rows.k,
       .new_v = rows.v,
       .out = rows.mixed.Cols(0, attention_width),
       .num_heads = config_.num_heads,
       .num_kv_heads = config_.num_kv_heads,
       .head_dim = config_.head_dim,
       .block_tokens = block_tokens_,
       .scale = 1.0F / std::sqrt(static_cast<float>(config_.head_dim)),
       .sequences = std::move(sequences)});
}

absl::Status Decoder::FinishLayer(LayerWeights& weights,
                                  const LayerRows& rows) {
  const TensorView attended =
      rows.mixed.Cols(0, config_.num_heads * config_.head_dim);
  RETURN_IF_ERROR(Apply(weights, LinearWeight::kOutput,
                        LayerVector::kOutputBias, attended, rows.hidden,
                        {.accumulate = true}));

  const TensorView ffn_in = rows.mixed.Cols(0, config_.hidden);
  if (config_.pre_norm) {
    RETURN_IF_ERROR(Norm(weights, LayerVector::kFfnNormGain,
                         LayerVector::kFfnNormBias, rows.hidden, ffn_in));
  } else {
    RETURN_IF_ERROR(Norm(weights, LayerVector::kAttentionNormGain,
                         LayerVector::kAttentionNormBias, rows.hidden,
                         rows.hidden));
    RETURN_IF_ERROR(ops_.Convert(compute_, {.x = rows.hidden, .y = ffn_in}));
  }
  const TensorView ffn = rows.wide.Cols(0, config_.ffn_dim);
  const Activation activation = ActivationOf(config_.activation);
  if (config_.has_gate) {
    RETURN_IF_ERROR(Apply(weights, LinearWeight::kGate, LayerVector::kGateBias,
                          ffn_in, ffn, {.activation = activation}));
    RETURN_IF_ERROR(Apply(weights, LinearWeight::kFc1, LayerVector::kFc1Bias,
                          ffn_in, ffn, {.multiply = true}));
  } else {
    RETURN_IF_ERROR(Apply(weights, LinearWeight::kFc1, LayerVector::kFc1Bias,
                          ffn_in, ffn, {.activation = activation}));
  }
  RETURN_IF_ERROR(Apply(weights, LinearWeight::kFc2, LayerVector::kFc2Bias, ffn,
                        rows.hidden, {.accumulate = true}));
  if (config_.pre_norm) return absl::OkStatus();
  return Norm(weights, LayerVector::kFfnNormGain, LayerVector::kFfnNormBias,
              rows.hidden, rows.hidden);
}

absl::Status Decoder::FinishRows(const TensorView& hidden,
                                 const TensorView& gain, const TensorView& bias,
                                 const TensorView& out) {
  if (!config_.has_final_norm) {
    return ops_.Convert(compute_, {.x = hidden, .y = out});
  }
  return ops_.LayerNorm(compute_, {.x = hidden,
                                   .gain = gain,
                                   .bias = bias,
                                   .y = out,
                                   .epsilon = config_.norm_epsilon,
                                   .center = config_.centers_norm});
}

absl::Status Decoder::Linear(absl::Span<const PlacedPiece> weight,
                             const TensorView& bias, const TensorView& x,
                             const TensorView& y, const LinearEnd& end) {
  for (const PlacedPiece& placed : weight) {
    const WeightPiece& piece = placed.piece;
    RETURN_IF_ERROR(ops_.Linear(
        compute_,
        {.x = x,
         .weight = placed.bytes,
         .shape = piece.shape,
         .bias =
             bias.empty() ? bias : bias.Cols(piece.first_row, piece.shape.n),
         .y = y.Cols(piece.first_row, piece.shape.n),
         .activation = end.activation,
         .accumulate = end.accumulate,
         .multiply = end.multiply}));
  }
  return absl::OkStatus();
}

absl::Status Decoder::Apply(LayerWeights& weights, LinearWeight matrix,
                            LayerVector bias, const TensorView& x,
                            const TensorView& y, const LinearEnd& end) {
  ASSIGN_OR_RETURN(const std::vector<PlacedPiece> pieces,
                   weights.Matrix(matrix));
  ASSIGN_OR_RETURN(const TensorView bias_view, weights.Vector(bias));
  return Linear(pieces, bias_view, x, y, end);
}

absl::Status Decoder::Norm(LayerWeights& weights, LayerVector gain,
                           LayerVector bias, const TensorView& x,
                           const TensorView& y) {
  ASSIGN_OR_RETURN(const TensorView gain_view, weights.Vector(gain));
  ASSIGN_OR_RETURN(const TensorView bias_view, weights.Vector(bias));
  return ops_.LayerNorm(compute_, {.x = x,
                                   .gain = gain_view,
                                   .bias = bias_view,
                                   .y = y,
                                   .epsilon = config_.norm_epsilon,
                                   .center = config_.centers_norm});
}

}  // namespace hybridserve
