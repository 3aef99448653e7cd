#include "worker/device/cpu_ops.h"

#include <algorithm>
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
#include "kernels/rotary_cpu.h"
#include "kernels/sample_cpu.h"
#include "worker/device/cpu_stream.h"
#include "worker/device/tensor_checks.h"

namespace hybridserve {
namespace {

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

// Addresses for views.
AttentionCpuSequence Plain(const AttentionSequence& sequence) {
  AttentionCpuSequence plain{.first_row = sequence.first_row,
                             .num_rows = sequence.num_rows,
                             .num_cached = sequence.num_cached};
  for (const KvBlockView& block : sequence.blocks) {
    plain.blocks.push_back({block.k.address(), block.v.address()});
  }
  return plain;
}

// What a row's parameters want told of its logits: the log-probability of the
// token, else 0; and the likeliest ids with theirs, -1 where there are not so
// many.
void WriteLogProbs(absl::Span<const float> logits, const SamplingParams& params,
                   int32_t token, const SampleArgs& args, int64_t row) {
  const int64_t count = params.top_log_probs;
  std::vector<int32_t> ids;
  if (count > 0) ids = TopIds(logits, count);
  const size_t found = ids.size();
  if (params.want_log_prob) ids.push_back(token);
  std::vector<float> log_probs(ids.size());
  LogProbsOf(logits, ids, absl::MakeSpan(log_probs));
  *AddressAs<float>(args.log_probs.Rows(row, 1)) =
      params.want_log_prob ? log_probs.back() : 0;
  if (count == 0) return;
  ids.resize(found);
  ids.resize(count, -1);
  log_probs.resize(found);
  log_probs.resize(count);
  std::copy(ids.begin(), ids.end(),
            AddressAs<int32_t>(args.top_tokens.Rows(row, 1)));
  std::copy(log_probs.begin(), log_probs.end(),
            AddressAs<float>(args.top_log_probs.Rows(row, 1)));
}

}  // namespace

absl::Status CpuOps::Linear(Stream& stream, const LinearArgs& args) {
  const WeightShape& shape = args.shape;
  RETURN_IF_ERROR(CheckComputeDType("linear", shape.dtype));
  CheckLinear(args, linear_);
  const LinearCpuArgs plain{.x = AddressOf(args.x),
                            .x_stride = args.x.stride,
                            .weight = args.weight.address(),
                            .dtype = shape.dtype,
                            .bias = AddressAs<float>(args.bias),
                            .y = AddressOf(args.y),
                            .y_stride = args.y.stride,
                            .y_dtype = args.y.dtype,
                            .m = args.x.rows,
                            .n = shape.n,
                            .k = shape.k,
                            .activation = args.activation,
                            .accumulate = args.accumulate,
                            .multiply = args.multiply};
  Queue(stream, [this, plain] {
    linear_.Run(plain, pool_);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status CpuOps::LayerNorm(Stream& stream, const LayerNormArgs& args) {
  RETURN_IF_ERROR(CheckComputeDType("layer norm", args.y.dtype));
  CheckLayerNorm(args);
  const LayerNormPointers plain = PointersOf(args);
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
  CheckConvert(args);
  Queue(stream, [this, x = args.x, y = args.y] {
    pool_.ParallelFor(x.rows, [&](int64_t row) {
      ConvertElements(x.dtype, AddressOf(x.Rows(row, 1)), y.dtype,
                      AddressOf(y.Rows(row, 1)), x.cols);
    });
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status CpuOps::Rotary(Stream& stream, const RotaryArgs& args) {
  RETURN_IF_ERROR(CheckComputeDType("rotary", args.x.dtype));
  CheckRotary(args);
  Queue(stream, [this, args] {
    RotaryPointers plain = PointersOf(args);
    plain.frequencies = args.frequencies.data();
    plain.positions = args.positions.data();
    RotaryCpu(plain, pool_);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status CpuOps::Attention(Stream& stream, const AttentionArgs& args) {
  RETURN_IF_ERROR(CheckComputeDType("attention", args.q.dtype));
  CheckAttention(args);
  AttentionCpuArgs plain{PointersOf(args), {}};
  for (const AttentionSequence& sequence : args.sequences) {
    plain.sequences.push_back(Plain(sequence));
  }
  Queue(stream, [this, plain = std::move(plain)] {
    AttentionCpu(plain, pool_);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status CpuOps::Sample(Stream& stream, const SampleArgs& args) {
  CheckSample(args);
  Queue(stream, [this, args] {
    pool_.ParallelFor(args.logits.rows, [&](int64_t row) {
      const SampleRow& how = args.rows[row];
      const absl::Span<const float> logits(
          AddressAs<float>(args.logits.Rows(row, 1)), args.logits.cols);
      absl::Span<const float> choices = logits;
      std::vector<float> changed;
      if (!how.changes.empty()) {
        changed.assign(logits.begin(), logits.end());
        ApplyLogitChanges(how.changes, how.params.repetition_penalty,
                          absl::MakeSpan(changed));
        choices = changed;
      }
      const int32_t token = SampleToken(choices, how.params, how.position);
      *AddressAs<int32_t>(args.tokens.Rows(row, 1)) = token;
      WriteLogProbs(logits, how.params, token, args, row);
    });
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status CpuOps::LogProb(Stream& stream, const LogProbArgs& args) {
  CheckLogProb(args);
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
