#ifndef HYBRIDSERVE_KERNELS_ATTENTION_CUDA_H_
#define HYBRIDSERVE_KERNELS_ATTENTION_CUDA_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/attention_pointers.h"

struct CUstream_st;  // *cudaStream_t, so that hosts need no CUDA headers.

namespace hybridserve {

// The widest head that the kernel takes.
inline constexpr int64_t kMostHeadDim = 256;

// Queries that follow each other in one sequence: their keys and values are
// loaded once for all.
struct AttentionCudaTile {
  int64_t row;            // Of q and out: the first query's.
  int64_t position;       // In its sequence: the first query's.
  int64_t num_rows;       // 1 to AttentionTileRows(head_dim).
  int64_t first_new_row;  // Of new_k and new_v: the sequence's first.
  int64_t num_cached;     // Positions of the sequence that `blocks` hold.
  int64_t first_block;    // Of `blocks`: the sequence's.
};

// Device memory; head_dim is at most kMostHeadDim.
struct AttentionCudaArgs : AttentionPointers {
  const AttentionCudaTile* tiles;  // [num_tiles]
  int64_t num_tiles;
  int64_t most_rows;  // Of any tile.
  const KvBlockPointers* blocks;
};

// Most queries of a tile: what fits a thread's registers.
constexpr int64_t AttentionTileRows(int64_t head_dim) {
  if (head_dim <= 64) return 8;
  return head_dim <= 128 ? 4 : 2;
}

// Queues it. Exact: a row of the result depends on its query and on the keys
// and values at positions 0 to its own, bit for bit; not on where the cached
// part ends or on other rows. InvalidArgument for a head that is too wide,
// Internal if the launch is refused.
absl::Status AttentionCuda(const AttentionCudaArgs& args, CUstream_st* stream);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_ATTENTION_CUDA_H_
