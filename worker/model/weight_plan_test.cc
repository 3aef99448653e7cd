#include "worker/model/weight_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "common/dtype.h"
#include "common/model_config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernels/weight_layout.h"
#include "worker/model/testing/row_major_layout.h"
#include "worker/model/testing/small_models.h"

namespace hybridserve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

int64_t Padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// Checks what every list of pieces promises; returns output features by matrix.
std::map<LinearWeight, int64_t> CheckPieces(
    const std::vector<WeightPiece>& pieces, int64_t begin, int64_t end,
    int64_t unit, const WeightLayout& layout) {
  std::map<LinearWeight, int64_t> rows;
  int64_t offset = begin;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const WeightPiece& piece = pieces[i];
    EXPECT_EQ(piece.offset, offset);
    EXPECT_EQ(piece.offset % 64, 0);
    EXPECT_EQ(piece.bytes, layout.PackedBytes(piece.shape));
    EXPECT_GT(piece.shape.n, 0);
    EXPECT_EQ(piece.first_row, rows[piece.weight]);
    EXPECT_EQ(piece.first_row % unit, 0);
    if (i > 0) {
      EXPECT_GE(piece.weight, pieces[i - 1].weight);
    }
    rows[piece.weight] += piece.shape.n;
    offset += piece.bytes;
  }
  EXPECT_EQ(offset, end);
  return rows;
}

// A plan of each variant, with layouts and policies of every grain.
class WeightPlanTest
    : public testing::TestWithParam<
          std::tuple<NamedConfig, DType, int64_t, PiecePolicy>> {
 protected:
  const ModelConfig config_ = std::get<0>(GetParam()).config;
  const DType dtype_ = std::get<1>(GetParam());
  const int64_t alignment_ = std::get<2>(GetParam());
  const PiecePolicy policy_ = std::get<3>(GetParam());
  const RowMajorLayout layout_{alignment_};
  const WeightPlan plan_ = MakeWeightPlan(config_, dtype_, layout_, policy_);
};

TEST_P(WeightPlanTest, LayersHoldEachMatrixOnceWithoutGaps) {
  const auto rows = CheckPieces(plan_.layer.pieces, plan_.layer.vector_bytes,
                                plan_.layer.bytes, alignment_, layout_);
  const int64_t h = config_.hidden;
  const int64_t q = config_.num_heads * config_.head_dim;
  std::map<LinearWeight, int64_t> expected = {
      {LinearWeight::kKey, config_.kv_width()},
      {LinearWeight::kValue, config_.kv_width()},
      {LinearWeight::kQuery, q},
      {LinearWeight::kOutput, h},
      {LinearWeight::kFc1, config_.ffn_dim},
      {LinearWeight::kFc2, h}};
  if (config_.has_gate) expected[LinearWeight::kGate] = config_.ffn_dim;
  EXPECT_EQ(rows, expected);
  std::map<LinearWeight, int64_t> count;
  for (const WeightPiece& piece : plan_.layer.pieces) {
    EXPECT_EQ(piece.shape.k, piece.weight == LinearWeight::kFc2
                                 ? config_.ffn_dim
                             : piece.weight == LinearWeight::kOutput ? q
                                                                     : h);
    EXPECT_EQ(piece.shape.dtype, dtype_);
    EXPECT_LE(++count[piece.weight], policy_.pieces_per_weight);
  }
}

TEST_P(WeightPlanTest, VectorsComeFirstAndDoNotOverlap) {
  int64_t offset = 0;
  for (const VectorSlot& slot : plan_.layer.vectors) {
    if (slot.size == 0) continue;
    EXPECT_EQ(slot.offset, offset);
    offset += Padded(4 * slot.size);
  }
  EXPECT_EQ(offset, plan_.layer.vector_bytes);
  const auto size = [this](LayerVector which) {
    return plan_.layer.vector(which).size;
  };
  const int64_t h = config_.hidden;
  const int64_t q = config_.num_heads * config_.head_dim;
  for (const LayerVector gain :
       {LayerVector::kAttentionNormGain, LayerVector::kFfnNormGain}) {
    EXPECT_EQ(size(gain), config_.has_norm_gain ? h : 0);
  }
  for (const LayerVector bias :
       {LayerVector::kAttentionNormBias, LayerVector::kFfnNormBias}) {
    EXPECT_EQ(size(bias), config_.has_norm_bias ? h : 0);
  }
  for (const LayerVector bias :
       {LayerVector::kKeyBias, LayerVector::kValueBias}) {
    EXPECT_EQ(size(bias), config_.has_qkv_bias ? config_.kv_width() : 0);
  }
  EXPECT_EQ(size(LayerVector::kQueryBias), config_.has_qkv_bias ? q : 0);
  EXPECT_EQ(size(LayerVector::kOutputBias), config_.has_output_bias ? h : 0);
  EXPECT_EQ(size(LayerVector::kFc1Bias),
            config_.has_ffn_bias ? config_.ffn_dim : 0);
  EXPECT_EQ(size(LayerVector::kFc2Bias), config_.has_ffn_bias ? h : 0);
  EXPECT_EQ(size(LayerVector::kGateBias),
            config_.has_gate && config_.has_ffn_bias ? config_.ffn_dim : 0);
}

TEST_P(WeightPlanTest, HeadSlicesAreMultiplesOf64ColumnsAndSmall) {
  const int64_t unit = alignment_ == 48 ? 192 : 64;  // lcm(64, alignment).
  const auto rows =
      CheckPieces(plan_.head.slices, 0, plan_.head.bytes, unit, layout_);
  EXPECT_THAT(rows, ElementsAre(testing::Pair(LinearWeight::kHead,
                                              config_.vocab_size)));
  const int64_t limit = policy_.head_slice_bytes > 0 ? policy_.head_slice_bytes
                                                     : plan_.layer.bytes / 16;
  int64_t largest = 0;
  for (const WeightPiece& slice : plan_.head.slices) {
    largest = std::max(largest, slice.bytes);
    EXPECT_EQ(slice.shape.k, config_.word_embed_dim);
    EXPECT_TRUE(slice.bytes <= limit || slice.shape.n <= unit)
        << slice.bytes << " bytes, " << slice.shape.n << " columns";
  }
  EXPECT_EQ(plan_.head.max_slice_bytes, largest);
}

TEST_P(WeightPlanTest, TheRestIsWhereTheModelHasIt) {
  const bool projects = config_.word_embed_dim != config_.hidden;
  const bool has_gain = config_.has_final_norm && config_.has_norm_gain;
  const bool has_bias = config_.has_final_norm && config_.has_norm_bias;
  EXPECT_EQ(plan_.outer.project_in.empty(), !projects);
  EXPECT_EQ(plan_.outer.project_out.empty(), !projects);
  EXPECT_EQ(plan_.outer.final_norm_gain.size, has_gain ? config_.hidden : 0);
  EXPECT_EQ(plan_.outer.final_norm_bias.size, has_bias ? config_.hidden : 0);
  std::vector<WeightPiece> pieces = plan_.outer.project_in;
  pieces.insert(pieces.end(), plan_.outer.project_out.begin(),
                plan_.outer.project_out.end());
  const int64_t vectors =
      (int64_t{has_gain} + int64_t{has_bias}) * Padded(4 * config_.hidden);
  auto rows =
      CheckPieces(pieces, vectors, plan_.outer.bytes, alignment_, layout_);
  if (projects) {
    EXPECT_EQ(rows[LinearWeight::kProjectIn], config_.hidden);
    EXPECT_EQ(rows[LinearWeight::kProjectOut], config_.word_embed_dim);
  }
  EXPECT_EQ(plan_.token_table.rows, config_.vocab_size);
  EXPECT_EQ(plan_.token_table.width, config_.word_embed_dim);
  EXPECT_EQ(plan_.position_table.rows,
            config_.has_rotary() ? 0 : config_.max_positions + 2);
  EXPECT_EQ(plan_.position_table.width, config_.hidden);
  EXPECT_EQ(plan_.TotalBytes(), config_.num_layers * plan_.layer.bytes +
                                    plan_.head.bytes + plan_.outer.bytes +
                                    Padded(plan_.token_table.bytes()) +
                                    Padded(plan_.position_table.bytes()));
}

TEST_P(WeightPlanTest, NoPieceIsAboveTheLargest) {
  int64_t largest = 0;
  for (const auto* pieces :
       {&plan_.layer.pieces, &plan_.head.slices, &plan_.outer.project_in,
        &plan_.outer.project_out}) {
    for (const WeightPiece& piece : *pieces) {
      largest = std::max(largest, piece.shape.n * piece.shape.k);
    }
  }
  EXPECT_EQ(plan_.MaxPieceElements(), largest);
}

INSTANTIATE_TEST_SUITE_P(
    All, WeightPlanTest,
    testing::Combine(testing::ValuesIn(SmallConfigs()),
                     testing::Values(DType::kFloat32, DType::kBFloat16),
                     testing::Values(1, 16, 48),
                     testing::Values(PiecePolicy{},
                                     PiecePolicy{.pieces_per_weight = 3,
                                                 .min_piece_bytes = 1,
                                                 .head_slice_bytes = 20'000},
                                     PiecePolicy{.pieces_per_weight = 1,
                                                 .head_slice_bytes = 1})));

// Matrices of OPT-1.3B: four pieces each, of equal size.
TEST(WeightPlanSizesTest, LargeMatricesAreCutEvenly) {
  ModelConfig config = SmallConfig();
  config.hidden = config.word_embed_dim = 2048;
  config.num_heads = config.num_kv_heads = 32;
  config.head_dim = 64;
  config.ffn_dim = 8192;
  config.vocab_size = 50272;
  const WeightPlan plan =
      MakeWeightPlan(config, DType::kBFloat16, RowMajorLayout());
  EXPECT_EQ(plan.layer.pieces.size(), 24U);
  for (const WeightPiece& piece : plan.layer.pieces) {
    const bool is_ffn = piece.weight >= LinearWeight::kFc1;
    EXPECT_EQ(piece.bytes, (is_ffn ? 4 : 1) * 2048 * 2048 * 2 / 4);
  }
  EXPECT_EQ(plan.layer.bytes, 12 * 2048 * 2048 * 2 + (9 * 2048 + 8192) * 4);
  // 206 MB in slices of at most a 16th of a layer, 6.3 MB.
  EXPECT_EQ(plan.head.slices.size(), 33U);
  EXPECT_LE(plan.head.max_slice_bytes, plan.layer.bytes / 16);
}

TEST(WeightPlanSizesTest, SmallMatricesStayWhole) {
  const WeightPlan plan =
      MakeWeightPlan(SmallConfig(), DType::kFloat32, RowMajorLayout());
  EXPECT_EQ(plan.layer.pieces.size(), 6U);
  EXPECT_THAT(plan.outer.project_in, IsEmpty());
}

}  // namespace
}  // namespace hybridserve
