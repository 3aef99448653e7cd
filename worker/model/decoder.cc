#include "worker/model/decoder.h"

#include <cmath>
#include <utility>

#include "common/status_macros.h"

namespace hybridserve {

absl::Status Decoder::ProjectIn(absl::Span<const PlacedPiece> weight,
                                const TensorView& tokens,
                                const TensorView& hidden) {
  return Linear(weight, {}, tokens, hidden, Activation::kNone,
                /*accumulate=*/true);
}

absl::Status Decoder::RebuildKv(LayerWeights& weights, const TensorView& act,
                                const TensorView& k, const TensorView& v) {
  RETURN_IF_ERROR(
      Apply(weights, LinearWeight::kKey, LayerVector::kKeyBias, act, k));
  return Apply(weights, LinearWeight::kValue, LayerVector::kValueBias, act, v);
}

absl::Status Decoder::ComputeKv(LayerWeights& weights, const LayerRows& rows) {
  if (config_.pre_norm) {
    RETURN_IF_ERROR(Norm(weights, LayerVector::kAttentionNormGain,
                         LayerVector::kAttentionNormBias, rows.hidden,
                         rows.act));
  } else {
    RETURN_IF_ERROR(ops_.Convert(compute_, {.x = rows.hidden, .y = rows.act}));
  }
  return RebuildKv(weights, rows.act, rows.k, rows.v);
}

absl::Status Decoder::ComputeQkv(LayerWeights& weights, const LayerRows& rows) {
  RETURN_IF_ERROR(ComputeKv(weights, rows));
  return Apply(weights, LinearWeight::kQuery, LayerVector::kQueryBias, rows.act,
               rows.wide.Cols(0, config_.num_heads * config_.head_dim));
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
                        Activation::kNone, /*accumulate=*/true));

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
  const Activation activation = config_.activation == ActivationFunction::kRelu
                                    ? Activation::kRelu
                                    : Activation::kGelu;
  RETURN_IF_ERROR(Apply(weights, LinearWeight::kFc1, LayerVector::kFc1Bias,
                        ffn_in, ffn, activation));
  RETURN_IF_ERROR(Apply(weights, LinearWeight::kFc2, LayerVector::kFc2Bias, ffn,
                        rows.hidden, Activation::kNone, /*accumulate=*/true));
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
                                   .epsilon = config_.norm_epsilon});
}

absl::Status Decoder::Linear(absl::Span<const PlacedPiece> weight,
                             const TensorView& bias, const TensorView& x,
                             const TensorView& y, Activation activation,
                             bool accumulate) {
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
         .activation = activation,
         .accumulate = accumulate}));
  }
  return absl::OkStatus();
}

absl::Status Decoder::Apply(LayerWeights& weights, LinearWeight matrix,
                            LayerVector bias, const TensorView& x,
                            const TensorView& y, Activation activation,
                            bool accumulate) {
  ASSIGN_OR_RETURN(const std::vector<PlacedPiece> pieces,
                   weights.Matrix(matrix));
  ASSIGN_OR_RETURN(const TensorView bias_view, weights.Vector(bias));
  return Linear(pieces, bias_view, x, y, activation, accumulate);
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
                                   .epsilon = config_.norm_epsilon});
}

}  // namespace hybridserve
