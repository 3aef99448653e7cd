#include "worker/device/tensor_checks.h"

#include <algorithm>

#include "glog/logging.h"

namespace hybridserve {

void* AddressOf(const TensorView& view) {
  if (view.empty()) return nullptr;
  return static_cast<char*>(view.buffer->address()) + view.offset;
}

void CheckShape(const char* name, const TensorView& view, int64_t rows,
                int64_t cols) {
  CHECK(!view.empty()) << name;
  CHECK(view.rows == rows && view.cols == cols)
      << name << " is [" << view.rows << ", " << view.cols << "], not [" << rows
      << ", " << cols << "]";
  CHECK(view.buffer->space() == MemorySpace::kDevice) << name;
  if (rows == 0 || cols == 0) return;
  CHECK_GE(view.stride, cols) << name;
  const int64_t last = (rows - 1) * view.stride + cols;
  CHECK(view.offset >= 0 &&
        view.offset + last * SizeOf(view.dtype) <= view.buffer->size())
      << name << " leaves its buffer";
}

void CheckVector(const char* name, const TensorView& view, int64_t cols) {
  if (view.empty()) return;
  CheckShape(name, view, 1, cols);
  CHECK(view.dtype == DType::kFloat32) << name;
}

LayerNormPointers PointersOf(const LayerNormArgs& args) {
  return {.x = AddressAs<float>(args.x),
          .x_stride = args.x.stride,
          .gain = AddressAs<float>(args.gain),
          .bias = AddressAs<float>(args.bias),
          .y = AddressOf(args.y),
          .y_stride = args.y.stride,
          .y_dtype = args.y.dtype,
          .rows = args.x.rows,
          .width = args.x.cols,
          .epsilon = args.epsilon,
          .center = args.center};
}

RotaryPointers PointersOf(const RotaryArgs& args) {
  return {.x = AddressOf(args.x),
          .x_stride = args.x.stride,
          .dtype = args.x.dtype,
          .rows = args.x.rows,
          .num_heads = args.x.cols / args.head_dim,
          .head_dim = args.head_dim,
          .frequencies = nullptr,
          .positions = nullptr};
}

AttentionPointers PointersOf(const AttentionArgs& args) {
  return {.dtype = args.q.dtype,
          .q = AddressOf(args.q),
          .q_stride = args.q.stride,
          .new_k = AddressOf(args.new_k),
          .new_k_stride = args.new_k.stride,
          .new_v = AddressOf(args.new_v),
          .new_v_stride = args.new_v.stride,
          .out = AddressOf(args.out),
          .out_stride = args.out.stride,
          .num_heads = args.num_heads,
          .num_kv_heads = args.num_kv_heads,
          .head_dim = args.head_dim,
          .block_tokens = args.block_tokens,
          .scale = args.scale};
}

void CheckLinear(const LinearArgs& args, const WeightLayout& layout) {
  const WeightShape& shape = args.shape;
  CheckShape("linear x", args.x, args.x.rows, shape.k);
  CheckShape("linear y", args.y, args.x.rows, shape.n);
  CheckVector("linear bias", args.bias, shape.n);
  CHECK(args.x.dtype == shape.dtype) << Name(args.x.dtype);
  CHECK(args.y.dtype == DType::kFloat32 || args.y.dtype == shape.dtype);
  CHECK(!args.accumulate || args.y.dtype == DType::kFloat32);
  CHECK((!args.accumulate && !args.multiply) ||
        args.activation == Activation::kNone);
  CHECK(!args.accumulate || !args.multiply);
  CHECK_EQ(args.weight.size, layout.PackedBytes(shape));
}

void CheckLayerNorm(const LayerNormArgs& args) {
  CheckShape("layer norm x", args.x, args.x.rows, args.x.cols);
  CheckShape("layer norm y", args.y, args.x.rows, args.x.cols);
  CheckVector("layer norm gain", args.gain, args.x.cols);
  CheckVector("layer norm bias", args.bias, args.x.cols);
  CHECK(args.x.dtype == DType::kFloat32);
}

void CheckConvert(const ConvertArgs& args) {
  CheckShape("convert x", args.x, args.x.rows, args.x.cols);
  CheckShape("convert y", args.y, args.x.rows, args.x.cols);
}

void CheckRotary(const RotaryArgs& args) {
  CHECK(args.head_dim > 0 && args.head_dim <= kMaxRotaryHeadDim &&
        args.head_dim % 2 == 0 && args.x.cols % args.head_dim == 0)
      << "rotary heads of " << args.head_dim << " in " << args.x.cols;
  CHECK_EQ(static_cast<int64_t>(args.frequencies.size()), args.head_dim / 2);
  CheckShape("rotary x", args.x, static_cast<int64_t>(args.positions.size()),
             args.x.cols);
}

void CheckAttention(const AttentionArgs& args) {
  CHECK(args.num_heads > 0 && args.num_kv_heads > 0 && args.head_dim > 0 &&
        args.block_tokens > 0 && args.num_heads % args.num_kv_heads == 0);
  const int64_t q_width = args.num_heads * args.head_dim;
  const int64_t kv_width = args.num_kv_heads * args.head_dim;
  CheckShape("attention q", args.q, args.q.rows, q_width);
  CheckShape("attention new_k", args.new_k, args.q.rows, kv_width);
  CheckShape("attention new_v", args.new_v, args.q.rows, kv_width);
  CheckShape("attention out", args.out, args.q.rows, q_width);
  CHECK(args.new_k.dtype == args.q.dtype && args.new_v.dtype == args.q.dtype &&
        args.out.dtype == args.q.dtype);
  const int64_t block_bytes =
      args.block_tokens * kv_width * SizeOf(args.q.dtype);
  for (const AttentionSequence& sequence : args.sequences) {
    CHECK(sequence.first_row >= 0 && sequence.num_rows >= 0 &&
          sequence.first_row + sequence.num_rows <= args.q.rows)
        << "sequence of rows " << sequence.first_row << "+" << sequence.num_rows
        << " of " << args.q.rows;
    // The blocks cover the cached positions.
    CHECK_EQ(static_cast<int64_t>(sequence.blocks.size()),
             (sequence.num_cached + args.block_tokens - 1) / args.block_tokens);
    for (const KvBlockView& block : sequence.blocks) {
      CHECK_GE(block.k.size, block_bytes);
      CHECK_GE(block.v.size, block_bytes);
    }
  }
}

void CheckSample(const SampleArgs& args) {
  const auto rows = static_cast<int64_t>(args.rows.size());
  CheckShape("sample logits", args.logits, rows, args.logits.cols);
  CheckShape("sample tokens", args.tokens, rows, 1);
  CheckShape("sample log_probs", args.log_probs, rows, 1);
  CHECK(args.logits.dtype == DType::kFloat32 &&
        args.tokens.dtype == DType::kInt32 &&
        args.log_probs.dtype == DType::kFloat32);
  CHECK(rows == 0 || args.logits.cols > 0);
  const bool wants_top = std::any_of(
      args.rows.begin(), args.rows.end(),
      [](const SampleRow& row) { return row.params.top_log_probs > 0; });
  if (wants_top) {
    CheckShape("top tokens", args.top_tokens, rows, kMaxTopLogProbs);
    CheckShape("top log_probs", args.top_log_probs, rows, kMaxTopLogProbs);
    CHECK(args.top_tokens.dtype == DType::kInt32 &&
          args.top_log_probs.dtype == DType::kFloat32);
  }
  for (const SampleRow& row : args.rows) {
    CHECK_GT(row.params.repetition_penalty, 0);
    CHECK(row.params.top_log_probs >= 0 &&
          row.params.top_log_probs <= kMaxTopLogProbs)
        << row.params.top_log_probs;
    for (const LogitChange& change : row.changes) {
      CHECK(change.id >= 0 && change.id < args.logits.cols)
          << "change of id " << change.id << " of " << args.logits.cols;
    }
  }
}

void CheckLogProb(const LogProbArgs& args) {
  const auto rows = static_cast<int64_t>(args.targets.size());
  CheckShape("log prob logits", args.logits, rows, args.logits.cols);
  CheckShape("log prob state", args.state, rows, 4);
  CHECK(args.logits.dtype == DType::kFloat32 &&
        args.state.dtype == DType::kFloat32);
  CHECK_GE(args.first_column, 0);
}

}  // namespace hybridserve
