#include "worker/model/weight_plan.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "common/dtype.h"
#include "common/model_config.h"
#include "glog/logging.h"
#include "kernels/weight_layout.h"

// Every matrix is cut into runs of output features. The unit of cutting is the
// layout's alignment (for the head also 64 columns, the chunk of LogProb's
// reduction); units are dealt out evenly, so pieces differ by at most one unit
// and the last is short where the matrix is. Blobs are written in the order in
// which a step wants them and have no gaps, so any run of pieces is one copy.

namespace hybridserve {
namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kHeadUnit = 64;
constexpr int64_t kMaxAutoHeadSliceBytes = int64_t{32} << 20;

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t Padded(int64_t bytes) {
  return CeilDiv(bytes, kAlignment) * kAlignment;
}

// Appends float32 vectors to a blob.
VectorSlot PlaceVector(int64_t size, int64_t& blob_bytes) {
  if (size == 0) return {};
  const VectorSlot slot = {.offset = blob_bytes, .size = size};
  blob_bytes += Padded(size * SizeOf(DType::kFloat32));
  return slot;
}

// Cuts [n, k] matrices for one layout and dtype.
class PieceCutter {
 public:
  PieceCutter(DType dtype, const WeightLayout& layout)
      : dtype_(dtype), layout_(layout) {
    CHECK(dtype != DType::kInt32) << "weights are floating";
    CHECK_GT(layout.piece_alignment(), 0);
  }

  // Appends `weight` to a blob in at most `max_pieces` pieces of whole `unit`s.
  void Cut(LinearWeight weight, int64_t n, int64_t k, int64_t unit,
           int64_t max_pieces, std::vector<WeightPiece>& pieces,
           int64_t& blob_bytes) const {
    const int64_t num_units = CeilDiv(n, unit);
    const int64_t num_pieces = std::clamp<int64_t>(max_pieces, 1, num_units);
    for (int64_t i = 0; i < num_pieces; ++i) {
      const int64_t begin = i * num_units / num_pieces * unit;
      const int64_t end = std::min(n, (i + 1) * num_units / num_pieces * unit);
      const WeightShape shape = {.n = end - begin, .k = k, .dtype = dtype_};
      const int64_t bytes = layout_.PackedBytes(shape);
      CHECK_EQ(bytes % kAlignment, 0);
      pieces.push_back({.weight = weight,
                        .first_row = begin,
                        .shape = shape,
                        .offset = blob_bytes,
                        .bytes = bytes});
      blob_bytes += bytes;
    }
  }

  // As the policy says for a matrix of a layer or a projection.
  void Cut(LinearWeight weight, int64_t n, int64_t k, const PiecePolicy& policy,
           std::vector<WeightPiece>& pieces, int64_t& blob_bytes) const {
    const int64_t by_size =
        n * k * SizeOf(dtype_) / std::max<int64_t>(policy.min_piece_bytes, 1);
    Cut(weight, n, k, layout_.piece_alignment(),
        std::min(policy.pieces_per_weight, by_size), pieces, blob_bytes);
  }

  // The head's slices: of whole units, none above `slice_bytes` unless one unit
  // alone is.
  HeadPlan CutHead(int64_t n, int64_t k, int64_t slice_bytes) const {
    const int64_t unit = std::lcm(kHeadUnit, layout_.piece_alignment());
    const int64_t unit_bytes =
        layout_.PackedBytes({.n = unit, .k = k, .dtype = dtype_});
    const int64_t units_per_slice =
        std::max<int64_t>(slice_bytes / unit_bytes, 1);
    HeadPlan head;
    Cut(LinearWeight::kHead, n, k, unit,
        CeilDiv(CeilDiv(n, unit), units_per_slice), head.slices, head.bytes);
    for (const WeightPiece& slice : head.slices) {
      head.max_slice_bytes = std::max(head.max_slice_bytes, slice.bytes);
    }
    return head;
  }

 private:
  const DType dtype_;
  const WeightLayout& layout_;
};

LayerPlan PlanLayer(const ModelConfig& config, const PieceCutter& cutter,
                    const PiecePolicy& policy) {
  const int64_t h = config.hidden;
  const int64_t kv = config.kv_width();
  const int64_t q = config.num_heads * config.head_dim;
  LayerPlan layer;
  const auto place = [&layer](LayerVector which, bool present, int64_t size) {
    layer.vectors[static_cast<int>(which)] =
        PlaceVector(present ? size : 0, layer.bytes);
  };
  place(LayerVector::kAttentionNormGain, config.has_norm_gain, h);
  place(LayerVector::kAttentionNormBias, config.has_norm_bias, h);
  place(LayerVector::kKeyBias, config.has_qkv_bias, kv);
  place(LayerVector::kValueBias, config.has_qkv_bias, kv);
  place(LayerVector::kQueryBias, config.has_qkv_bias, q);
  place(LayerVector::kOutputBias, config.has_output_bias, h);
  place(LayerVector::kFfnNormGain, config.has_norm_gain, h);
  place(LayerVector::kFfnNormBias, config.has_norm_bias, h);
  place(LayerVector::kFc1Bias, config.has_ffn_bias, config.ffn_dim);
  place(LayerVector::kFc2Bias, config.has_ffn_bias, h);
  place(LayerVector::kGateBias, config.has_gate && config.has_ffn_bias,
        config.ffn_dim);
  layer.vector_bytes = layer.bytes;

  const auto cut = [&](LinearWeight weight, int64_t n, int64_t k) {
    cutter.Cut(weight, n, k, policy, layer.pieces, layer.bytes);
  };
  cut(LinearWeight::kKey, kv, h);
  cut(LinearWeight::kValue, kv, h);
  cut(LinearWeight::kQuery, q, h);
  cut(LinearWeight::kOutput, h, q);
  if (config.has_gate) cut(LinearWeight::kGate, config.ffn_dim, h);
  cut(LinearWeight::kFc1, config.ffn_dim, h);
  cut(LinearWeight::kFc2, h, config.ffn_dim);
  return layer;
}

OuterPlan PlanOuter(const ModelConfig& config, const PieceCutter& cutter,
                    const PiecePolicy& policy) {
  OuterPlan outer;
  if (config.has_final_norm) {
    outer.final_norm_gain =
        PlaceVector(config.has_norm_gain ? config.hidden : 0, outer.bytes);
    outer.final_norm_bias =
        PlaceVector(config.has_norm_bias ? config.hidden : 0, outer.bytes);
  }
  if (config.word_embed_dim != config.hidden) {
    cutter.Cut(LinearWeight::kProjectIn, config.hidden, config.word_embed_dim,
               policy, outer.project_in, outer.bytes);
    cutter.Cut(LinearWeight::kProjectOut, config.word_embed_dim, config.hidden,
               policy, outer.project_out, outer.bytes);
  }
  return outer;
}

int64_t MaxElements(const std::vector<WeightPiece>& pieces, int64_t so_far) {
  for (const WeightPiece& piece : pieces) {
    so_far = std::max(so_far, piece.shape.n * piece.shape.k);
  }
  return so_far;
}

}  // namespace

int64_t WeightPlan::TotalBytes() const {
  return num_layers * layer.bytes + head.bytes + outer.bytes +
         Padded(token_table.bytes()) + Padded(position_table.bytes());
}

int64_t WeightPlan::MaxPieceElements() const {
  int64_t most = MaxElements(layer.pieces, 0);
  most = MaxElements(head.slices, most);
  most = MaxElements(outer.project_in, most);
  return MaxElements(outer.project_out, most);
}

WeightPlan MakeWeightPlan(const ModelConfig& config, DType dtype,
                          const WeightLayout& layout,
                          const PiecePolicy& policy) {
  const PieceCutter cutter(dtype, layout);
  WeightPlan plan;
  plan.dtype = dtype;
  plan.num_layers = config.num_layers;
  plan.layer = PlanLayer(config, cutter, policy);
  plan.outer = PlanOuter(config, cutter, policy);
  const int64_t slice_bytes =
      policy.head_slice_bytes > 0
          ? policy.head_slice_bytes
          : std::min(plan.layer.bytes / 16, kMaxAutoHeadSliceBytes);
  plan.head =
      cutter.CutHead(config.vocab_size, config.word_embed_dim, slice_bytes);
  plan.token_table = {.rows = config.vocab_size,
                      .width = config.word_embed_dim,
                      .dtype = dtype};
  plan.position_table = {
      .rows = config.position_rows(), .width = config.hidden, .dtype = dtype};
  return plan;
}

}  // namespace hybridserve
