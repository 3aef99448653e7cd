#include "worker/device/cuda/cuda_ops.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/status_macros.h"
#include "kernels/attention_cuda.h"
#include "kernels/convert_cuda.h"
#include "kernels/layer_norm_cuda.h"
#include "kernels/linear_finish_cuda.h"
#include "kernels/log_prob_cuda.h"
#include "kernels/philox.h"
#include "kernels/rotary_cuda.h"
#include "kernels/sample_cuda.h"
#include "worker/device/cuda/cuda_buffer.h"
#include "worker/device/cuda/cuda_stream.h"
#include "worker/device/tensor_checks.h"

namespace hybridserve {
namespace {

constexpr int64_t kSumsBytes = int64_t{32} << 20;
constexpr int64_t kInvariantRows = 64;
constexpr int64_t kPaddedXBytes = int64_t{16} << 20;
constexpr int kRingSlots = 64;
// Holds the block table of a sequence of 260,000 positions in blocks of 16.
constexpr int64_t kRingSlotBytes = 256 << 10;

CudaStream& Of(Stream& stream) { return static_cast<CudaStream&>(stream); }

absl::Status CheckFloat(const char* name, DType dtype) {
  if (dtype != DType::kInt32) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, ": no integers"));
}

// Bytes that a sampled row's arguments take.
int64_t SampleRowBytes(const SampleRow& row) {
  return static_cast<int64_t>(sizeof(SampleCudaRow) +
                              row.changes.size() * sizeof(SampleCudaChange));
}

// Bytes that the arguments for a sequence's attention take.
int64_t AttentionBytes(const AttentionSequence& sequence, int64_t tile_rows) {
  const int64_t tiles = (sequence.num_rows + tile_rows - 1) / tile_rows;
  return tiles * static_cast<int64_t>(sizeof(AttentionCudaTile)) +
         static_cast<int64_t>(sequence.blocks.size() * sizeof(KvBlockPointers));
}

// How many items from `first` on fit into a slot of the ring together; one
// does, whatever its size. `bytes_of` gives an item's.
template <typename Items, typename BytesOf>
size_t CountThatFit(const Items& items, size_t first, const BytesOf& bytes_of) {
  size_t count = 0;
  int64_t bytes = 0;
  while (first + count < items.size()) {
    bytes += bytes_of(items[first + count]);
    if (count > 0 && bytes > kRingSlotBytes) break;
    ++count;
  }
  return count;
}

template <typename T>
void Append(absl::Span<const T> values, std::vector<char>& bytes) {
  const size_t size = values.size() * sizeof(T);
  bytes.resize(bytes.size() + size);
  if (size > 0) {
    std::memcpy(bytes.data() + bytes.size() - size, values.data(), size);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<CudaOps>> CudaOps::Create(
    const CudaOpsOptions& options) {
  std::unique_ptr<CudaOps> ops(new CudaOps());
  RETURN_IF_ERROR(ops->Reserve(CublasGemm::kWorkspaceBytes, ops->workspace_));
  ASSIGN_OR_RETURN(ops->gemm_, CublasGemm::Create(options.cublas_libraries,
                                                  ops->workspace_->address()));
  ASSIGN_OR_RETURN(ops->ring_,
                   ArgumentRing::Create(kRingSlots, kRingSlotBytes));
  ops->reserved_bytes_ += kRingSlots * kRingSlotBytes;
  RETURN_IF_ERROR(ops->Reserve(kSumsBytes, ops->sums_));
  if (options.batch_invariant) {
    RETURN_IF_ERROR(ops->Reserve(kPaddedXBytes, ops->padded_x_));
  }
  return ops;
}

absl::Status CudaOps::Reserve(int64_t bytes, std::unique_ptr<Buffer>& buffer) {
  ASSIGN_OR_RETURN(buffer, CreateCudaBuffer(MemorySpace::kDevice, bytes));
  reserved_bytes_ += bytes;
  return absl::OkStatus();
}

absl::Status CudaOps::Linear(Stream& stream, const LinearArgs& args) {
  const WeightShape& shape = args.shape;
  RETURN_IF_ERROR(CheckFloat("linear", shape.dtype));
  CheckLinear(args, layout_);
  if (args.x.rows == 0 || shape.n == 0) return absl::OkStatus();
  const int64_t sums_rows =
      kSumsBytes / static_cast<int64_t>(sizeof(float)) / shape.n;
  int64_t most_rows = SumsInPlace(args) ? args.x.rows : sums_rows;
  int64_t least_rows = 1;
  if (padded_x_ != nullptr) {
    most_rows = least_rows = kInvariantRows;
    if (kInvariantRows * shape.k * SizeOf(shape.dtype) > kPaddedXBytes ||
        sums_rows < least_rows) {
      return absl::InvalidArgumentError(absl::StrCat(
          "linear: ", shape.n, " output and ", shape.k,
          " input features are more than --batch_invariant takes"));
    }
  }
  if (most_rows < least_rows) {
    return absl::InvalidArgumentError(
        absl::StrCat("linear: ", shape.n, " output features; the device takes ",
                     kSumsBytes / static_cast<int64_t>(sizeof(float))));
  }
  for (int64_t row = 0; row < args.x.rows; row += most_rows) {
    const int64_t rows = std::min(most_rows, args.x.rows - row);
    LinearArgs part = args;
    part.x = args.x.Rows(row, rows);
    part.y = args.y.Rows(row, rows);
    RETURN_IF_ERROR(LinearRows(Of(stream), part));
  }
  return absl::OkStatus();
}

bool CudaOps::SumsInPlace(const LinearArgs& args) const {
  return args.y.dtype == DType::kFloat32 && !args.multiply &&
         padded_x_ == nullptr;
}

absl::Status CudaOps::LinearRows(CudaStream& stream, const LinearArgs& args) {
  const WeightShape& shape = args.shape;
  const bool in_place = SumsInPlace(args);
  GemmArgs gemm = {.x = AddressOf(args.x),
                   .x_stride = args.x.stride,
                   .weight = args.weight.address(),
                   .dtype = shape.dtype,
                   .sums = in_place ? AddressAs<float>(args.y)
                                    : static_cast<float*>(sums_->address()),
                   .sums_stride = in_place ? args.y.stride : shape.n,
                   .m = args.x.rows,
                   .n = shape.n,
                   .k = shape.k,
                   .accumulate = args.accumulate};
  if (padded_x_ != nullptr) RETURN_IF_ERROR(Pad(stream, args, gemm));
  RETURN_IF_ERROR(gemm_->Run(gemm, stream.ForOp()));
  if (in_place && args.bias.empty() && args.activation == Activation::kNone) {
    return absl::OkStatus();
  }
  return LinearFinishCuda({.sums = gemm.sums,
                           .sums_stride = gemm.sums_stride,
                           .bias = AddressAs<float>(args.bias),
                           .y = AddressOf(args.y),
                           .y_stride = args.y.stride,
                           .y_dtype = args.y.dtype,
                           .rows = args.x.rows,
                           .width = shape.n,
                           .activation = args.activation,
                           .multiply = args.multiply},
                          stream.ForOp());
}

absl::Status CudaOps::Pad(CudaStream& stream, const LinearArgs& args,
                          GemmArgs& gemm) {
  // What the rest of the two buffers holds is added up and never looked at.
  RETURN_IF_ERROR(ConvertCuda({.x = gemm.x,
                               .x_dtype = gemm.dtype,
                               .x_stride = gemm.x_stride,
                               .y = padded_x_->address(),
                               .y_dtype = gemm.dtype,
                               .y_stride = gemm.k,
                               .rows = gemm.m,
                               .width = gemm.k},
                              stream.ForOp()));
  if (gemm.accumulate) {
    RETURN_IF_ERROR(ConvertCuda({.x = AddressOf(args.y),
                                 .x_dtype = args.y.dtype,
                                 .x_stride = args.y.stride,
                                 .y = gemm.sums,
                                 .y_dtype = DType::kFloat32,
                                 .y_stride = gemm.sums_stride,
                                 .rows = gemm.m,
                                 .width = gemm.n},
                                stream.ForOp()));
  }
  gemm.x = padded_x_->address();
  gemm.x_stride = gemm.k;
  gemm.m = kInvariantRows;
  return absl::OkStatus();
}

absl::Status CudaOps::LayerNorm(Stream& stream, const LayerNormArgs& args) {
  RETURN_IF_ERROR(CheckFloat("layer norm", args.y.dtype));
  CheckLayerNorm(args);
  return LayerNormCuda(PointersOf(args), Of(stream).ForOp());
}

absl::Status CudaOps::Convert(Stream& stream, const ConvertArgs& args) {
  RETURN_IF_ERROR(CheckFloat("convert", args.x.dtype));
  RETURN_IF_ERROR(CheckFloat("convert", args.y.dtype));
  CheckConvert(args);
  return ConvertCuda({.x = AddressOf(args.x),
                      .x_dtype = args.x.dtype,
                      .x_stride = args.x.stride,
                      .y = AddressOf(args.y),
                      .y_dtype = args.y.dtype,
                      .y_stride = args.y.stride,
                      .rows = args.x.rows,
                      .width = args.x.cols},
                     Of(stream).ForOp());
}

// As many rows at a time as fit into a slot of the ring.
absl::Status CudaOps::Rotary(Stream& stream, const RotaryArgs& args) {
  RETURN_IF_ERROR(CheckFloat("rotary", args.x.dtype));
  CheckRotary(args);
  constexpr int64_t kMostRows =
      (kRingSlotBytes -
       kMaxRotaryHeadDim / 2 * static_cast<int64_t>(sizeof(float))) /
      static_cast<int64_t>(sizeof(int32_t));
  for (int64_t row = 0; row < args.x.rows; row += kMostRows) {
    const int64_t rows = std::min(kMostRows, args.x.rows - row);
    std::vector<char> bytes;
    Append<float>(args.frequencies, bytes);
    const size_t positions_at = bytes.size();
    Append<int32_t>(absl::MakeConstSpan(args.positions).subspan(row, rows),
                    bytes);
    ASSIGN_OR_RETURN(const char* const uploaded,
                     ring_->Upload(Of(stream), bytes));
    RotaryPointers plain = PointersOf(args);
    plain.x = AddressOf(args.x.Rows(row, rows));
    plain.rows = rows;
    plain.frequencies = reinterpret_cast<const float*>(uploaded);
    plain.positions = reinterpret_cast<const int32_t*>(uploaded + positions_at);
    RETURN_IF_ERROR(RotaryCuda(plain, Of(stream).ForOp()));
    RETURN_IF_ERROR(ring_->Release(Of(stream)));
  }
  return absl::OkStatus();
}

// As many sequences at a time as fit into a slot of the ring.
absl::Status CudaOps::Attention(Stream& stream, const AttentionArgs& args) {
  RETURN_IF_ERROR(CheckFloat("attention", args.q.dtype));
  CheckAttention(args);
  const int64_t tile_rows = AttentionTileRows(args.head_dim);
  for (size_t first = 0; first < args.sequences.size();) {
    const size_t count = CountThatFit(
        args.sequences, first, [&](const AttentionSequence& sequence) {
          return AttentionBytes(sequence, tile_rows);
        });
    RETURN_IF_ERROR(AttendSequences(Of(stream), args, first, count));
    first += count;
  }
  return absl::OkStatus();
}

absl::Status CudaOps::AttendSequences(CudaStream& stream,
                                      const AttentionArgs& args, size_t first,
                                      size_t count) {
  const int64_t tile_rows = AttentionTileRows(args.head_dim);
  int64_t most_rows = 0;
  std::vector<AttentionCudaTile> tiles;
  std::vector<KvBlockPointers> blocks;
  for (const AttentionSequence& sequence :
       absl::MakeConstSpan(args.sequences).subspan(first, count)) {
    for (int64_t i = 0; i < sequence.num_rows; i += tile_rows) {
      tiles.push_back({.row = sequence.first_row + i,
                       .position = sequence.num_cached + i,
                       .num_rows = std::min(tile_rows, sequence.num_rows - i),
                       .first_new_row = sequence.first_row,
                       .num_cached = sequence.num_cached,
                       .first_block = static_cast<int64_t>(blocks.size())});
    }
    most_rows = std::max(most_rows, std::min(tile_rows, sequence.num_rows));
    for (const KvBlockView& block : sequence.blocks) {
      blocks.push_back({block.k.address(), block.v.address()});
    }
  }
  if (tiles.empty()) return absl::OkStatus();
  std::vector<char> bytes;
  Append<AttentionCudaTile>(tiles, bytes);
  const size_t blocks_at = bytes.size();
  Append<KvBlockPointers>(blocks, bytes);
  ASSIGN_OR_RETURN(const char* const uploaded, ring_->Upload(stream, bytes));
  RETURN_IF_ERROR(AttentionCuda(
      {PointersOf(args), reinterpret_cast<const AttentionCudaTile*>(uploaded),
       static_cast<int64_t>(tiles.size()), most_rows,
       reinterpret_cast<const KvBlockPointers*>(uploaded + blocks_at)},
      stream.ForOp()));
  return ring_->Release(stream);
}

// As many rows at a time as fit into a slot of the ring with their changes.
absl::Status CudaOps::Sample(Stream& stream, const SampleArgs& args) {
  CheckSample(args);
  for (size_t first = 0; first < args.rows.size();) {
    const size_t count = CountThatFit(args.rows, first, SampleRowBytes);
    RETURN_IF_ERROR(SampleRows(Of(stream), args, static_cast<int64_t>(first),
                               static_cast<int64_t>(count)));
    first += count;
  }
  return absl::OkStatus();
}

absl::Status CudaOps::SampleRows(CudaStream& stream, const SampleArgs& args,
                                 int64_t first, int64_t count) {
  std::vector<SampleCudaRow> rows;
  rows.reserve(count);
  std::vector<SampleCudaChange> changes;
  for (int64_t i = first; i < first + count; ++i) {
    const SampleRow& row = args.rows[i];
    rows.push_back({.temperature = row.params.temperature,
                    .top_k = row.params.top_k,
                    .top_p = row.params.top_p,
                    .uniform = UniformAt(row.params.seed, row.position),
                    .repetition_penalty = row.params.repetition_penalty,
                    .first_change = static_cast<int64_t>(changes.size()),
                    .num_changes = static_cast<int64_t>(row.changes.size()),
                    .want_log_prob = row.params.want_log_prob,
                    .num_top = row.params.top_log_probs});
    for (const LogitChange& change : row.changes) {
      changes.push_back({.id = change.id,
                         .is_repeated = change.is_repeated,
                         .plus = change.plus,
                         .logit = 0});
    }
  }
  std::vector<char> bytes;
  Append<SampleCudaRow>(rows, bytes);
  const size_t changes_at = bytes.size();
  Append<SampleCudaChange>(changes, bytes);
  ASSIGN_OR_RETURN(char* const uploaded, ring_->Upload(stream, bytes));
  const TensorView logits = args.logits.Rows(first, count);
  const TensorView tokens = args.tokens.Rows(first, count);
  const TensorView log_probs = args.log_probs.Rows(first, count);
  // Empty where no row wants any.
  const TensorView top_tokens = args.top_tokens.Rows(first, count);
  const TensorView top_log_probs = args.top_log_probs.Rows(first, count);
  RETURN_IF_ERROR(SampleCuda(
      {.logits = AddressAs<float>(logits),
       .logits_stride = logits.stride,
       .vocabulary = logits.cols,
       .rows = reinterpret_cast<const SampleCudaRow*>(uploaded),
       .changes = reinterpret_cast<SampleCudaChange*>(uploaded + changes_at),
       .num_rows = count,
       .tokens = AddressAs<int32_t>(tokens),
       .tokens_stride = tokens.stride,
       .log_probs = AddressAs<float>(log_probs),
       .log_probs_stride = log_probs.stride,
       .top_tokens = AddressAs<int32_t>(top_tokens),
       .top_tokens_stride = top_tokens.stride,
       .top_log_probs = AddressAs<float>(top_log_probs),
       .top_log_probs_stride = top_log_probs.stride},
      stream.ForOp()));
  return ring_->Release(stream);
}

absl::Status CudaOps::LogProb(Stream& stream, const LogProbArgs& args) {
  CheckLogProb(args);
  if (args.targets.empty()) return absl::OkStatus();
  std::vector<char> bytes;
  Append<int32_t>(args.targets, bytes);
  ASSIGN_OR_RETURN(const char* const uploaded,
                   ring_->Upload(Of(stream), bytes));
  RETURN_IF_ERROR(
      LogProbCuda({.logits = AddressAs<float>(args.logits),
                   .logits_stride = args.logits.stride,
                   .columns = args.logits.cols,
                   .first_column = args.first_column,
                   .targets = reinterpret_cast<const int32_t*>(uploaded),
                   .state = AddressAs<float>(args.state),
                   .state_stride = args.state.stride,
                   .rows = args.logits.rows},
                  Of(stream).ForOp()));
  return ring_->Release(Of(stream));
}

}  // namespace hybridserve
