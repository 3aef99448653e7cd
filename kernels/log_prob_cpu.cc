#include "kernels/log_prob_cpu.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/log_prob_cpu.cc"
#include "glog/logging.h"
#include "hwy/foreach_target.h"  // Must come before highway.h.
#include "hwy/highway.h"
#include "kernels/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hybridserve {
namespace HWY_NAMESPACE {

// Folds up to 64 logits into (max, sum).
void FoldChunk(const float* logits, int64_t count, float& max, float& sum) {
  const F32Tag d;
  float chunk[kLogProbChunk];
  // Missing columns count as -infinity, whose exponential is 0.
  std::fill(chunk, chunk + kLogProbChunk,
            -std::numeric_limits<float>::infinity());
  std::memcpy(chunk, logits, count * sizeof(float));
  float highest = max;
  for (const float logit : chunk) highest = logit > highest ? logit : highest;
  F32Vector sums[kVectors];
  for (F32Vector& partial : sums) partial = hn::Zero(d);
  // A row of nothing but -infinity so far: subtracting that would be NaN.
  const bool empty = highest == -std::numeric_limits<float>::infinity();
  const F32Vector center = hn::Set(d, empty ? 0.0F : highest);
  for (int64_t c = 0; c < kLogProbChunk; c += kWide) {
    for (size_t v = 0; v < kVectors; ++v) {
      const F32Vector logit = hn::LoadU(d, chunk + c + v * kLanes);
      sums[v] = hn::Add(sums[v], Exp(hn::Sub(logit, center)));
    }
  }
  float rescale[kWide];
  for (size_t v = 0; v < kVectors; ++v) {
    hn::StoreU(Exp(hn::Sub(hn::Set(d, max), center)), d, rescale + v * kLanes);
  }
  sum = sum * rescale[0] + SumWide(sums);
  max = highest;
}

void FoldRow(const LogProbCpuArgs& args, int64_t row) {
  const float* logits = args.logits + row * args.logits_stride;
  float* state = args.state + row * args.state_stride;
  const int64_t target = args.targets[row];
  if (target < 0) return;
  if (args.first_column == 0) {
    state[0] = -std::numeric_limits<float>::infinity();
    std::fill(state + 1, state + 4, 0.0F);
  }
  for (int64_t c = 0; c < args.columns; c += kLogProbChunk) {
    const int64_t count = std::min(kLogProbChunk, args.columns - c);
    const float before = state[0];
    FoldChunk(logits + c, count, state[0], state[1]);
    if (state[0] > before) {
      const float* const top =
          std::find(logits + c, logits + c + count, state[0]);
      state[3] = static_cast<float>(args.first_column + (top - logits));
    }
  }
  const int64_t column = target - args.first_column;
  if (column >= 0 && column < args.columns) state[2] = logits[column];
}

}  // namespace HWY_NAMESPACE
}  // namespace hybridserve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hybridserve {

HWY_EXPORT(FoldRow);

void LogProbCpu(const LogProbCpuArgs& args, ThreadPool& pool) {
  const auto run = HWY_DYNAMIC_DISPATCH(FoldRow);
  pool.ParallelFor(static_cast<int64_t>(args.targets.size()),
                   [&](int64_t row) { run(args, row); });
}

float LogProbOfState(const float* state) {
  const double log_sum = std::log(static_cast<double>(state[1]));
  return static_cast<float>(static_cast<double>(state[2]) - state[0] - log_sum);
}

void LogProbsOf(absl::Span<const float> logits,
                absl::Span<const int32_t> targets,
                absl::Span<float> log_probs) {
  CHECK_EQ(targets.size(), log_probs.size());
  if (targets.empty()) return;
  float state[4];
  const LogProbCpuArgs args{.logits = logits.data(),
                            .logits_stride = 0,
                            .columns = static_cast<int64_t>(logits.size()),
                            .first_column = 0,
                            .targets = targets.first(1),
                            .state = state,
                            .state_stride = 4};
  HWY_DYNAMIC_DISPATCH(FoldRow)(args, 0);
  for (size_t i = 0; i < targets.size(); ++i) {
    state[2] = logits[targets[i]];
    log_probs[i] = LogProbOfState(state);
  }
}

}  // namespace hybridserve
#endif  // HWY_ONCE
