#ifndef HYBRIDSERVE_KERNELS_SAMPLE_CUDA_H_
#define HYBRIDSERVE_KERNELS_SAMPLE_CUDA_H_

#include <cstdint>

#include "absl/status/status.h"

struct CUstream_st;  // *cudaStream_t, so that hosts need no CUDA headers.

namespace hybridserve {

// How one row's token is chosen: see SamplingParams.
struct SampleCudaRow {
  double temperature;
  int64_t top_k;
  double top_p;
  double uniform;  // The draw, in [0, 1): UniformAt(seed, position).
  double repetition_penalty;
  int64_t first_change;  // Of SampleCudaArgs::changes.
  int64_t num_changes;
  bool want_log_prob;
  int64_t num_top;  // SamplingParams::top_log_probs.
};

// See LogitChange. While the row is sampled its logit is kept here.
struct SampleCudaChange {
  int32_t id;
  bool is_repeated;
  float plus;
  float logit;
};

// See SampleArgs in kernels/ops.h. Device memory; row-major, strides in
// elements.
struct SampleCudaArgs {
  float* logits;  // [num_rows, vocabulary]; in the end as before.
  int64_t logits_stride;
  int64_t vocabulary;         // 1 to 2^23.
  const SampleCudaRow* rows;  // [num_rows]
  SampleCudaChange* changes;
  int64_t num_rows;
  int32_t* tokens;  // [num_rows, 1]
  int64_t tokens_stride;
  float* log_probs;  // [num_rows, 1]
  int64_t log_probs_stride;
  int32_t* top_tokens;  // [num_rows, kMaxTopLogProbs], where any is wanted.
  int64_t top_tokens_stride;
  float* top_log_probs;  // The same.
  int64_t top_log_probs_stride;
};

// Queues it. The tokens are those of SampleToken (kernels/sample_cpu.h), up to
// probabilities' rounding to multiples of 2^-40 of the likeliest one's.
// Internal if the launch is refused.
absl::Status SampleCuda(const SampleCudaArgs& args, CUstream_st* stream);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_SAMPLE_CUDA_H_
