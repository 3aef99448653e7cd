#ifndef HYBRIDSERVE_WORKER_MODEL_DECODER_H_
#define HYBRIDSERVE_WORKER_MODEL_DECODER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/model_config.h"
#include "kernels/device/device.h"
#include "kernels/device/tensor_view.h"
#include "kernels/ops.h"
#include "worker/model/layer_weights.h"

namespace hybridserve {

// The rows of new positions that go through a layer together, all of one
// length M, in device memory. es: elements of the compute dtype.
struct LayerRows {
  TensorView hidden;  // [M, hidden] float32: the residual stream, in and out.
  TensorView act;     // [M, hidden] es, written: the QKV GEMM's input.
  TensorView k;       // [M, kv_width] es, written.
  TensorView v;       // [M, kv_width] es, written.
  TensorView mixed;   // [M, >= attention width and hidden] es: scratch.
  TensorView wide;    // [M, >= attention width and ffn_dim] es: scratch.
  // Of models with rotary positions: M.
  std::vector<int32_t> positions;
};

// What becomes of x W^T + bias: LinearArgs (kernels/ops.h).
struct LinearEnd {
  Activation activation = Activation::kNone;
  bool accumulate = false;
  bool multiply = false;
};

// The forward pass of an OPT decoder (arXiv:2205.01068) or one like Llama's
// (arXiv:2302.13971), layer by layer, as calls of ops. Pre-norm:
// x += attention(norm(x)), x += ffn(norm(x)); post-norm (OPT's
// do_layer_norm_before = false): x = norm(x + attention(x)), and so on. The ffn
// is fc2(act(fc1(x))), or, gated, fc2(act(gate(x)) * fc1(x)).
//
// The residual stream is float32; inputs of GEMMs, q, k, v and attention's
// output are rounded to the compute dtype. K and V of new positions and of
// cached ACT rows come from one function, RebuildKv, hence are the same bits.
//
// Everything is queued on `compute`. Thread-compatible.
class Decoder {
 public:
  // All are borrowed and outlive the decoder.
  Decoder(const ModelConfig& config, DType dtype, int64_t block_tokens,
          Ops& ops, Stream& compute)
      : config_(config),
        dtype_(dtype),
        block_tokens_(block_tokens),
        ops_(ops),
        compute_(compute) {}

  // hidden += project_in(tokens), for models that project: `hidden` holds the
  // position rows then. [M, word_embed_dim] -> [M, hidden].
  absl::Status ProjectIn(absl::Span<const PlacedPiece> weight,
                         const TensorView& tokens, const TensorView& hidden);

  // k, v = act W_K^T + b_K, act W_V^T + b_V. [M, hidden] -> [M, kv_width]. Of
  // models with rotary positions, k turned by them: `positions` are M, else
  // they may be none.
  absl::Status RebuildKv(LayerWeights& weights, const TensorView& act,
                         const TensorView& k, const TensorView& v,
                         const std::vector<int32_t>& positions);

  // Fills act, k and v of positions of which nothing else is wanted.
  absl::Status ComputeKv(LayerWeights& weights, const LayerRows& rows);

  // Fills act, k and v, and q into `wide`, of new positions.
  absl::Status ComputeQkv(LayerWeights& weights, const LayerRows& rows);

  // Attention over `sequences`, after ComputeQkv(): from `wide` into `mixed`.
  absl::Status Attend(const LayerRows& rows,
                      std::vector<AttentionSequence> sequences);

  // Output projection and FFN: the rest of the layer.
  absl::Status FinishLayer(LayerWeights& weights, const LayerRows& rows);

  // The input of project_out or of the head: the final norm where the model has
  // one, rounded. [M, hidden] float32 -> [M, hidden] es. `gain` and `bias` may
  // be empty.
  absl::Status FinishRows(const TensorView& hidden, const TensorView& gain,
                          const TensorView& bias, const TensorView& out);

  // y = act(x W^T + bias), y += x W^T + bias or y *= x W^T + bias, piece by
  // piece.
  absl::Status Linear(absl::Span<const PlacedPiece> weight,
                      const TensorView& bias, const TensorView& x,
                      const TensorView& y, const LinearEnd& end = {});

 private:
  // Linear() with a matrix and a bias of the layer.
  absl::Status Apply(LayerWeights& weights, LinearWeight matrix,
                     LayerVector bias, const TensorView& x, const TensorView& y,
                     const LinearEnd& end);
  // Turns the heads of queries or keys by their positions, where the model
  // does.
  absl::Status Rotate(const TensorView& x,
                      const std::vector<int32_t>& positions);
  absl::Status Norm(LayerWeights& weights, LayerVector gain, LayerVector bias,
                    const TensorView& x, const TensorView& y);

  const ModelConfig& config_;
  const DType dtype_;
  const int64_t block_tokens_;
  Ops& ops_;
  Stream& compute_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_DECODER_H_
