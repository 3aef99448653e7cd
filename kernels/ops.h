#ifndef HYBRIDSERVE_KERNELS_OPS_H_
#define HYBRIDSERVE_KERNELS_OPS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "common/sampling_params.h"
#include "kernels/activation.h"
#include "kernels/device/device.h"
#include "kernels/device/tensor_view.h"
#include "kernels/logit_change.h"
#include "kernels/weight_layout.h"

namespace hybridserve {

// Contract of all ops. They queue on `stream` (of the same device) and return;
// args are copied, the memory they view stays the caller's until the op ran.
// Device memory only. Zero rows are fine. Row i of a result depends on row i
// of the inputs alone, bit for bit: not on other rows, on how many there are,
// on a column split or on the number of threads.

// y = act(x W^T + bias), y += x W^T + bias with `accumulate`, or, for gated
// layers, y *= x W^T + bias with `multiply`. Accumulates in float32; bias is
// added in float32; one rounding to y's dtype.
struct LinearArgs {
  TensorView x;       // [M, K], the weight's dtype.
  BufferView weight;  // Blob packed by the device's WeightLayout.
  WeightShape shape;  // n = y.cols, k = x.cols.
  TensorView bias;    // [1, N] float32, or empty.
  TensorView y;       // [M, N], float32 or the weight's dtype.
  Activation activation = Activation::kNone;
  bool accumulate = false;  // y is float32 then; activation kNone.
  bool multiply = false;    // Not both; activation kNone.
};

// y = (x - mean) / sqrt(var + epsilon) * gain + bias, a row at a time
// (arXiv:1607.06450, eq. 3). Without `center` the mean is taken to be 0: the
// root mean square norm (arXiv:1910.07467, eq. 4).
struct LayerNormArgs {
  TensorView x;     // [M, h] float32.
  TensorView gain;  // [1, h] float32, or empty: 1.
  TensorView bias;  // [1, h] float32, or empty: 0.
  TensorView y;     // [M, h] float32 or compute dtype; may be x.
  float epsilon = 1e-5F;
  bool center = true;
};

// y = x rounded to y's dtype (to nearest even), or widened.
struct ConvertArgs {
  TensorView x;
  TensorView y;
};

// Rotary positions (arXiv:2104.09864, eq. 34), in place. Elements i and
// i + head_dim / 2 of each head, as Hugging Face pairs them, are turned by
// position * frequencies[i], a product in float32.
struct RotaryArgs {
  TensorView x;                    // [M, heads * head_dim], compute dtype.
  int64_t head_dim = 0;            // At most kMaxRotaryHeadDim.
  std::vector<float> frequencies;  // head_dim / 2: radians a position.
  std::vector<int32_t> positions;  // M; -1: the row stays as it is.
};

// Keys and values of one cached block, [block_tokens, kv_width] each, dense.
struct KvBlockView {
  BufferView k;
  BufferView v;
};

// One sequence's part of an attention call.
struct AttentionSequence {
  int64_t first_row = 0;            // Of q, new_k, new_v, out.
  int64_t num_rows = 0;             // New positions.
  int64_t num_cached = 0;           // Positions before them, in `blocks`.
  std::vector<KvBlockView> blocks;  // ceil(num_cached / block_tokens).
};

// Causal attention: position p (row first_row + p - num_cached) attends to
// positions 0..p; keys of positions < num_cached come from the blocks, the rest
// from new_k/new_v rows. out = softmax(scale * q k^T) v for each head; head i
// of q uses kv head i / (num_heads / num_kv_heads). Accumulates in float32.
// Reduces over positions in groups aligned to block_tokens, in ascending order,
// so that the result does not depend on where the cached part ends.
struct AttentionArgs {
  TensorView q;      // [M, num_heads * head_dim], compute dtype.
  TensorView new_k;  // [M, num_kv_heads * head_dim], cache dtype (= compute).
  TensorView new_v;  // Same.
  TensorView out;    // [M, num_heads * head_dim], compute dtype.
  int64_t num_heads = 0;
  int64_t num_kv_heads = 0;
  int64_t head_dim = 0;
  int64_t block_tokens = 16;
  float scale = 1;
  std::vector<AttentionSequence> sequences;
};

// Chooses a token for each row of full logits (DESIGN.md 4: argmax ties go to
// the lowest id; randomness is counter-based on (seed, position)). Before, the
// logits of the ids in `changes` become, each step rounded to float32: if
// repeated, divided by the repetition penalty where above 0 and multiplied by
// it where not; then more by `plus`. Log-probs are of the logits as given, and
// so are the likeliest ids: by descending logit, the lowest id among equals.
struct SampleRow {
  SamplingParams params;
  int64_t position = 0;  // Absolute position of the token being chosen.
  std::vector<LogitChange> changes;  // Each id once.
};
struct SampleArgs {
  TensorView logits;  // [S, vocab] float32; in the end as before.
  std::vector<SampleRow> rows;
  TensorView tokens;     // [S, 1] int32, written.
  TensorView log_probs;  // [S, 1] float32, written where wanted, else 0.
  // [S, kMaxTopLogProbs] int32 and float32; unset where no row wants any. Of a
  // row that wants n the first n are written, -1 where it has fewer ids that
  // are not NaN.
  TensorView top_tokens;
  TensorView top_log_probs;
};

// Folds one slice of logits into running sums, so that log-probs of given
// targets, and of the likeliest id, need no full row of logits: state row =
// {max, sum of exp(l - max), target's logit, lowest id of max}. Starts anew
// where first_column == 0. Reduces in chunks of 64 columns in ascending order,
// so slices that are multiples of 64 columns wide (but the last) give the same
// bits whatever their width.
struct LogProbArgs {
  TensorView logits;             // [M, slice] float32.
  int64_t first_column = 0;      // Vocabulary id of the slice's first column.
  std::vector<int32_t> targets;  // M ids; -1: ignore the row.
  TensorView state;              // [M, 4] float32. Ids are below 2^24: exact.
};

// What a device computes. Thread-compatible, as its streams.
class Ops {
 public:
  virtual ~Ops() = default;
  virtual absl::Status Linear(Stream& stream, const LinearArgs& args) = 0;
  virtual absl::Status LayerNorm(Stream& stream, const LayerNormArgs& args) = 0;
  virtual absl::Status Convert(Stream& stream, const ConvertArgs& args) = 0;
  virtual absl::Status Rotary(Stream& stream, const RotaryArgs& args) = 0;
  virtual absl::Status Attention(Stream& stream, const AttentionArgs& args) = 0;
  virtual absl::Status Sample(Stream& stream, const SampleArgs& args) = 0;
  virtual absl::Status LogProb(Stream& stream, const LogProbArgs& args) = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_OPS_H_
