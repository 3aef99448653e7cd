#ifndef HYBRIDSERVE_WORKER_MODEL_WEIGHT_PLAN_H_
#define HYBRIDSERVE_WORKER_MODEL_WEIGHT_PLAN_H_

#include <array>
#include <cstdint>
#include <vector>

#include "common/dtype.h"
#include "common/model_config.h"
#include "kernels/weight_layout.h"

namespace hybridserve {

// A model's matrices. Those of a layer come first, in streaming order: what
// rebuilds keys and values leads, so that a rebuild can start early.
enum class LinearWeight {
  kKey,
  kValue,
  kQuery,
  kOutput,
  kGate,
  kFc1,
  kFc2,
  kProjectIn,
  kProjectOut,
  kHead,
};

// A layer's vectors, all float32.
enum class LayerVector {
  kAttentionNormGain,
  kAttentionNormBias,
  kKeyBias,
  kValueBias,
  kQueryBias,
  kOutputBias,
  kFfnNormGain,
  kFfnNormBias,
  kFc1Bias,
  kFc2Bias,
  kGateBias,
};
inline constexpr int kNumLayerVectors = 11;

// Where a float32 vector lies in its blob.
struct VectorSlot {
  int64_t offset = 0;  // Bytes, a multiple of 64.
  int64_t size = 0;    // Elements; 0: this model has no such vector.
};

// Output features [first_row, first_row + shape.n) of a matrix, packed by the
// backend's WeightLayout.
struct WeightPiece {
  LinearWeight weight = LinearWeight::kKey;
  int64_t first_row = 0;
  WeightShape shape;
  int64_t offset = 0;  // Bytes from the start of its blob, a multiple of 64.
  int64_t bytes = 0;   // WeightLayout::PackedBytes(shape), a multiple of 64.
};

// A layer's blob: vectors, then pieces without gaps. The same for every layer,
// so any ring slot fits any layer.
struct LayerPlan {
  std::array<VectorSlot, kNumLayerVectors> vectors;
  int64_t vector_bytes = 0;  // The vectors lie in [0, vector_bytes).
  // In streaming order = ascending offsets; a matrix's pieces are adjacent and
  // in ascending rows.
  std::vector<WeightPiece> pieces;
  int64_t bytes = 0;

  const VectorSlot& vector(LayerVector which) const {
    return vectors[static_cast<int>(which)];
  }
};

// The LM head [vocab, word_embed_dim] as vocabulary slices: each but the last
// a multiple of 64 columns of logits.
struct HeadPlan {
  std::vector<WeightPiece> slices;  // Ascending rows and offsets, no gaps.
  int64_t bytes = 0;
  int64_t max_slice_bytes = 0;
};

// What stands before the first layer and after the last: final norm (absent on
// models without) and the projections between word_embed_dim and hidden.
struct OuterPlan {
  VectorSlot final_norm_gain;            // [hidden]
  VectorSlot final_norm_bias;            // [hidden]
  std::vector<WeightPiece> project_in;   // [hidden, word_embed_dim], or empty.
  std::vector<WeightPiece> project_out;  // [word_embed_dim, hidden], or empty.
  int64_t bytes = 0;
};

// A table that the host gathers rows from: row-major, dense, `dtype`.
struct TablePlan {
  int64_t rows = 0;
  int64_t width = 0;
  DType dtype = DType::kFloat32;

  int64_t row_bytes() const { return width * SizeOf(dtype); }
  int64_t bytes() const { return rows * row_bytes(); }
};

// Where every weight of a model goes, as plain data.
struct WeightPlan {
  DType dtype = DType::kFloat32;  // Compute dtype of all matrices and tables.
  int64_t num_layers = 0;
  LayerPlan layer;
  HeadPlan head;
  OuterPlan outer;
  TablePlan token_table;     // [vocab_size, word_embed_dim]
  TablePlan position_table;  // [position_rows, hidden], or no rows.

  // Host memory that the weights take, each blob padded to 64 bytes. A tied
  // head counts twice: packed for the GEMM and as rows for gathering.
  int64_t TotalBytes() const;
  // The most elements of one piece: what a source that makes its rows (random
  // weights) holds at a time, a thread.
  int64_t MaxPieceElements() const;
};

// How finely matrices are cut.
struct PiecePolicy {
  // Pieces of each matrix of a layer and projection, fewer where they would be
  // smaller than min_piece_bytes or than the layout's alignment.
  int64_t pieces_per_weight = 4;
  int64_t min_piece_bytes = int64_t{256} << 10;
  // Upper limit of a head slice, though one never has less than 64 columns (or
  // the layout's alignment). 0: a 16th of a layer, at most 32 MiB.
  int64_t head_slice_bytes = 0;
};

// Lays a model out. Pure. `config` is consistent, `dtype` floating.
WeightPlan MakeWeightPlan(const ModelConfig& config, DType dtype,
                          const WeightLayout& layout,
                          const PiecePolicy& policy = {});

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_WEIGHT_PLAN_H_
