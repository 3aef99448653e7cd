#ifndef HYBRIDSERVE_KERNELS_LOG_PROB_CPU_H_
#define HYBRIDSERVE_KERNELS_LOG_PROB_CPU_H_

#include <cstdint>

#include "absl/types/span.h"
#include "kernels/thread_pool.h"

namespace hybridserve {

// Columns folded at a time.
inline constexpr int64_t kLogProbChunk = 64;

// See LogProbArgs in kernels/ops.h. Row-major; strides in elements.
struct LogProbCpuArgs {
  const float* logits;  // [rows, columns]
  int64_t logits_stride;
  int64_t columns;
  int64_t first_column;
  absl::Span<const int32_t> targets;  // [rows]; -1: the row is left alone.
  // [rows, 4]: max, sum of e^(logit - max), target's logit, lowest id of max.
  float* state;
  int64_t state_stride;
};

// Exact: a row's state depends on its logits alone, bit for bit, on every
// vector width and however the columns were sliced at multiples of 64.
void LogProbCpu(const LogProbCpuArgs& args, ThreadPool& pool);

// The natural log-probability that a finished state holds: the target's logit
// less log-sum-exp; NaN if the row has no finite maximum.
float LogProbOfState(const float* state);

// The natural log-probabilities of `targets` among a full row of logits, as
// many: the same bits as LogProbCpu and LogProbOfState give.
void LogProbsOf(absl::Span<const float> logits,
                absl::Span<const int32_t> targets, absl::Span<float> log_probs);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LOG_PROB_CPU_H_
