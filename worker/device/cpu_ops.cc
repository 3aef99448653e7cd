#include "worker/device/cpu_ops.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "kernels/attention_cpu.h"
#include "kernels/element_convert.h"
#include "kernels/layer_norm_cpu.h"
#include "kernels/linear_cpu.h"
#include "kernels/log_prob_cpu.h"
#include "kernels/sample_cpu.h"
#include "worker/device/cpu_stream.h"

namespace hybridserve {
namespace {

void* Address(const TensorView& view) {
  if (view.empty()) return nullptr;
  return static_cast<char*>(view.buffer->address()) + view.offset;
}

template <typename T>
T* AddressAs(const TensorView& view) {
  return static_cast<T*>(Address(view));
}

// Crashes unless `view` is [rows, cols] inside device memory.
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

// The same for an optional [1, cols] of float32.
void CheckVector(const char* name, const TensorView& view, int64_t cols) {
  if (view.empty()) return;
  CheckShape(name, view, 1, cols);
  CHECK(view.dtype == DType::kFloat32) << name;
}

bool IsComputeDType(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kBFloat16;
}

absl::Status CheckComputeDType(const char* name, DType dtype) {
  if (IsComputeDType(dtype)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      name, ": the cpu does not compute in ", hybridserve::Name(dtype)));
}

void Queue(Stream& stream, StreamThread::Work work) {
  static_cast<CpuStream&>(stream).Queue(std::move(work));
}

// Addresses for views; crashes if the blocks don't cover the cached positions.
AttentionCpuSequence Plain(const AttentionSequence& sequence,
                           const AttentionArgs& args) {
  const int64_t block_bytes = args.block_tokens * args.num_kv_heads *
                              args.head_dim * SizeOf(args.q.dtype);
  CHECK(sequence.first_row >= 0 && sequence.num_rows >= 0 &&
        sequence.first_row + sequence.num_rows <= args.q.rows)
      << "sequence of rows " << sequence.first_row << "+" << sequence.num_rows
      << " of " << args.q.rows;
  CHECK_EQ(static_cast<int64_t>(sequence.blocks.size()),
           (sequence.num_cached + args.block_tokens - 1) / args.block_tokens);
  AttentionCpuSequence plain{.first_row = sequence.first_row,
                             .num_rows = sequence.num_rows,
                             .num_cached = sequence.num_cached};
  for (const KvBlockView& block : sequence.blocks) {
    CHECK_GE(block.k.size, block_bytes);
    CHECK_GE(block.v.size, block_bytes);
    plain.blocks.push_back({block.k.address(), block.v.address()});
  }
  return plain;
}

}  // namespace

absl::Status CpuOps::Linear(Stream& stream, const LinearArgs& args) {
  const WeightShape& shape = args.shape;
  RETURN_IF_ERROR(CheckComputeDType("linear", shape.dtype));
  CheckShape("linear x", args.x, args.x.rows, shape.k);
  CheckShape("linear y", args.y, args.x.rows, shape.n);
  CheckVector("linear bias", args.bias, shape.n);
  CHECK(args.x.dtype == shape.dtype) << hybridserve::Name(args.x.dtype);
  CHECK(args.y.dtype == DType::kFloat32 || args.y.dtype == shape.dtype);
  CHECK(!args.accumulate || (args.y.dtype == DType::kFloat32 &&
                             args.activation == Activation::kNone));
  CHECK_EQ(args.weight.size, linear_.PackedBytes(shape));
  const LinearCpuArgs plain{.x = Address(args.x),
                            .x_stride = args.x.stride,
                            .weight = args.weight.address(),
                            .dtype = shape.dtype,
                            .bias = AddressAs<float>(args.bias),
                            .y = Address(args.y),
                            .y_stride = args.y.stride,
                            .y_dtype = args.y.dtype,
                            .m = args.x.rows,
                            .n = shape.n,
                            .k = shape.k,
                            .activation = args.activation,
                            .accumulate = args.accumulate};
  Queue(stream, [this, plain] {
    linear_.Run(plain, pool_);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status CpuOps::LayerNorm(Stream& stream, const LayerNormArgs& args) {
  RETURN_IF_ERROR(CheckComputeDType("layer norm", args.y.dtype));
  CheckShape("layer norm x", args.x, args.x.rows, args.x.cols);
  CheckShape("layer norm y", args.y, args.x.rows, args.x.cols);
  CheckVector("layer norm gain", args.gain, args.x.cols);
  CheckVector("layer norm bias", args.bias, args.x.cols);
  CHECK(args.x.dtype == DType::kFloat32);
  const LayerNormCpuArgs plain{.x = AddressAs<float>(args.x),
                               .x_stride = args.x.stride,
                               .gain = AddressAs<float>(args.gain),
                               .bias = AddressAs<float>(args.bias),
                               .y = Address(args.y),
                               .y_stride = args.y.stride,
                               .y_dtype = args.y.dtype,
                               .rows = args.x.rows,
                               .width = args.x.cols,
                               .epsilon = args.epsilon};
  Queue(stream, [this, plain] {
    LayerNormCpu(plain, pool_);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status CpuOps::Convert(Stream& stream, const ConvertArgs& args) {
  if (args.x.dtype == DType::kInt32 || args.y.dtype == DType::kInt32) {
    return absl::InvalidArgumentError("convert: no integers");
  }
  CheckShape("convert x", args.x, args.x.rows, args.x.cols);
  CheckShape("convert y", args.y, args.x.rows, args.x.cols);
  Queue(stream, [this, x = args.x, y = args.y] {
    pool_.ParallelFor(x.rows, [&](int64_t row) {
      ConvertElements(x.dtype, Address(x.Rows(row, 1)), y.dtype,
                      Address(y.Rows(row, 1)), x.cols);
    });
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status CpuOps::Attention(Stream& stream, const AttentionArgs& args) {
  RETURN_IF_ERROR(CheckComputeDType("attention", args.q.dtype));
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
  AttentionCpuArgs plain{.dtype = args.q.dtype,
                         .q = Address(args.q),
                         .q_stride = args.q.stride,
                         .new_k = Address(args.new_k),
                         .new_k_stride = args.new_k.stride,
                         .new_v = Address(args.new_v),
                         .new_v_stride = args.new_v.stride,
                         .out = Address(args.out),
                         .out_stride = args.out.stride,
                         .num_heads = args.num_heads,
                         .num_kv_heads = args.num_kv_heads,
                         .head_dim = args.head_dim,
                         .block_tokens = args.block_tokens,
                         .scale = args.scale};
  for (const AttentionSequence& sequence : args.sequences) {
    plain.sequences.push_back(Plain(sequence, args));
  }
  Queue(stream, [this, plain = std::move(plain)] {
    AttentionCpu(plain, pool_);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status CpuOps::Sample(Stream& stream, const SampleArgs& args) {
  const int64_t rows = static_cast<int64_t>(args.rows.size());
  CheckShape("sample logits", args.logits, rows, args.logits.cols);
  CheckShape("sample tokens", args.tokens, rows, 1);
  CheckShape("sample log_probs", args.log_probs, rows, 1);
  CHECK(args.logits.dtype == DType::kFloat32 &&
        args.tokens.dtype == DType::kInt32 &&
        args.log_probs.dtype == DType::kFloat32);
  CHECK(rows == 0 || args.logits.cols > 0);
  Queue(stream, [this, args] {
    pool_.ParallelFor(args.logits.rows, [&](int64_t row) {
      const SampleRow& how = args.rows[row];
      const absl::Span<const float> logits(
          AddressAs<float>(args.logits.Rows(row, 1)), args.logits.cols);
      const int32_t token = SampleToken(logits, how.params, how.position);
      *AddressAs<int32_t>(args.tokens.Rows(row, 1)) = token;
      *AddressAs<float>(args.log_probs.Rows(row, 1)) =
          how.params.want_log_prob ? LogProbOf(logits, token) : 0;
    });
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status CpuOps::LogProb(Stream& stream, const LogProbArgs& args) {
  const int64_t rows = static_cast<int64_t>(args.targets.size());
  CheckShape("log prob logits", args.logits, rows, args.logits.cols);
  CheckShape("log prob state", args.state, rows, 4);
  CHECK(args.logits.dtype == DType::kFloat32 &&
        args.state.dtype == DType::kFloat32);
  CHECK_GE(args.first_column, 0);
  Queue(stream, [this, args] {
    LogProbCpu({.logits = AddressAs<float>(args.logits),
                .logits_stride = args.logits.stride,
                .columns = args.logits.cols,
                .first_column = args.first_column,
                .targets = args.targets,
                .state = AddressAs<float>(args.state),
                .state_stride = args.state.stride},
               pool_);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace hybridserve
