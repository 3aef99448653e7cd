#ifndef HYBRIDSERVE_KERNELS_ATTENTION_CUDA_H_
#define HYBRIDSERVE_KERNELS_ATTENTION_CUDA_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/attention_pointers.h"

struct CUstream_st;  // *cudaStream_t, so that hosts need no CUDA headers.

namespace hybridserve {

// The widest head that the kernel takes.
inline constexpr int64_t kMostHeadDim = 256;

// One row of queries, of one sequence.
struct AttentionCudaRow {
  int64_t row;            // Of q and out.
  int64_t position;       // In its sequence.
  int64_t first_new_row;  // Of new_k and new_v: the sequence's first.
  int64_t num_cached;     // Positions of the sequence that `blocks` hold.
  int64_t first_block;    // Of `blocks`: the sequence's.
};

// Device memory; head_dim is at most kMostHeadDim.
struct AttentionCudaArgs : AttentionPointers {
  const AttentionCudaRow* rows;  // [num_rows]
  int64_t num_rows;
  const KvBlockPointers* blocks;
};

// Queues it. Exact: a row of the result depends on its query and on the keys
// and values at positions 0 to its own, bit for bit; not on where the cached
// part ends or on other rows. InvalidArgument for a head that is too wide,
// Internal if the launch is refused.
absl::Status AttentionCuda(const AttentionCudaArgs& args, CUstream_st* stream);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_ATTENTION_CUDA_H_
