#ifndef HYBRIDSERVE_WORKER_OFFLOAD_WORKSPACE_SIZES_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_WORKSPACE_SIZES_H_

#include <cstdint>

#include "common/model_config.h"
#include "worker/model/weight_plan.h"

namespace hybridserve {

// The upper limits of one step, from which all work buffers follow.
struct StepShape {
  int64_t rows = 0;        // New positions of all sequences.
  int64_t logit_rows = 0;  // Of them, rows that sample.
  // Besides them, positions recomputed from token ids. Whole blocks.
  int64_t recomputed_rows = 0;
};

// Bytes of each work buffer of a step; each a multiple of 64. es: bytes of the
// compute dtype, A = max(num_heads * head_dim, hidden, word_embed_dim).
struct WorkspaceSizes {
  // The residual stream, [rows + recomputed_rows, hidden] float32.
  int64_t hidden = 0;
  // [rows + recomputed_rows, word_embed_dim] es; 0 without project_in.
  int64_t token_rows = 0;
  // One layer's new rows until they are written back: ACT [rows, hidden], K and
  // V [rows, kv_width] es. There are two.
  int64_t act_rows = 0;
  int64_t k_rows = 0;
  int64_t v_rows = 0;
  int64_t mixed = 0;   // [head_rows, A] es: attention output, norms.
  int64_t wide = 0;    // [head_rows, max(A, ffn_dim)] es: q, FFN activation.
  int64_t logits = 0;  // [logit_rows, vocab] float32.
  int64_t score_logits = 0;  // [score_rows, widest head slice] float32.
  int64_t score_state = 0;   // [rows, 4] float32.
  int64_t tokens = 0;        // [logit_rows, 1] int32.
  int64_t log_probs = 0;     // [logit_rows, 1] float32.
  // [logit_rows, kMaxTopLogProbs] int32 and float32.
  int64_t top_tokens = 0;
  int64_t top_log_probs = 0;

  int64_t head_rows = 0;   // Rows, not bytes: rows + logit_rows.
  int64_t score_rows = 0;  // Rows that are scored at a time.

  int64_t new_rows() const { return act_rows + k_rows + v_rows; }
  int64_t activations() const { return hidden + token_rows + mixed + wide; }
  int64_t outputs() const { return logits + score_logits + host_outputs(); }
  // Bytes that cross the link into the device before layer 0 / back at the
  // end: the sizes of the host's buffers, of which there are two each.
  int64_t host_inputs() const { return hidden + token_rows; }
  int64_t host_outputs() const {
    return score_state + tokens + log_probs + top_tokens + top_log_probs;
  }
};

// Pure. `shape` is positive.
WorkspaceSizes MakeWorkspaceSizes(const ModelConfig& config,
                                  const WeightPlan& weights,
                                  const StepShape& shape);

// `bytes` rounded up to a multiple of 64.
constexpr int64_t Align64(int64_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_WORKSPACE_SIZES_H_
