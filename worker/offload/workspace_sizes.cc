#include "worker/offload/workspace_sizes.h"

#include <algorithm>

#include "common/dtype.h"
#include "common/sampling_params.h"

namespace hybridserve {
namespace {

// Rows scored at a time: enough to make a GEMM efficient, few enough that
// their slice of logits stays small.
constexpr int64_t kScoreRows = 128;

}  // namespace

WorkspaceSizes MakeWorkspaceSizes(const ModelConfig& config,
                                  const WeightPlan& weights,
                                  const StepShape& shape) {
  const int64_t element = SizeOf(weights.dtype);
  const int64_t rows = shape.rows;
  const int64_t input_rows = rows + shape.recomputed_rows;
  const int64_t attention_width =
      std::max({config.num_heads * config.head_dim, config.hidden,
                config.word_embed_dim});
  int64_t widest_slice = 0;
  for (const WeightPiece& slice : weights.head.slices) {
    widest_slice = std::max(widest_slice, slice.shape.n);
  }

  WorkspaceSizes sizes;
  sizes.head_rows = rows + shape.logit_rows;
  sizes.score_rows = std::min(rows, kScoreRows);
  sizes.hidden = Align64(input_rows * config.hidden * 4);
  if (!weights.outer.project_in.empty()) {
    sizes.token_rows = Align64(input_rows * config.word_embed_dim * element);
  }
  sizes.act_rows = Align64(rows * config.hidden * element);
  sizes.k_rows = Align64(rows * config.kv_width() * element);
  sizes.v_rows = sizes.k_rows;
  sizes.mixed = Align64(sizes.head_rows * attention_width * element);
  sizes.wide = Align64(sizes.head_rows *
                       std::max(attention_width, config.ffn_dim) * element);
  sizes.logits = Align64(shape.logit_rows * config.vocab_size * 4);
  sizes.score_logits = Align64(sizes.score_rows * widest_slice * 4);
  sizes.score_state = Align64(rows * 4 * 4);
  sizes.tokens = Align64(shape.logit_rows * 4);
  sizes.log_probs = Align64(shape.logit_rows * 4);
  sizes.top_tokens = Align64(shape.logit_rows * kMaxTopLogProbs * 4);
  sizes.top_log_probs = sizes.top_tokens;
  return sizes;
}

}  // namespace hybridserve
