#ifndef HYBRIDSERVE_KERNELS_ATTENTION_CPU_H_
#define HYBRIDSERVE_KERNELS_ATTENTION_CPU_H_

#include <cstdint>
#include <vector>

#include "common/dtype.h"
#include "kernels/thread_pool.h"

namespace hybridserve {

// A cached block's keys and values, [block_tokens, kv_width] each.
struct KvBlockPointers {
  const void* k;
  const void* v;
};

// See AttentionSequence in kernels/ops.h.
struct AttentionCpuSequence {
  int64_t first_row;
  int64_t num_rows;
  int64_t num_cached;
  std::vector<KvBlockPointers> blocks;
};

// See AttentionArgs in kernels/ops.h. Row-major; strides in elements.
struct AttentionCpuArgs {
  DType dtype;  // Of all arrays: float32 or bfloat16.
  const void* q;
  int64_t q_stride;
  const void* new_k;
  int64_t new_k_stride;
  const void* new_v;
  int64_t new_v_stride;
  void* out;
  int64_t out_stride;
  int64_t num_heads;
  int64_t num_kv_heads;
  int64_t head_dim;
  int64_t block_tokens;
  float scale;
  std::vector<AttentionCpuSequence> sequences;
};

// Exact: a row of the result depends on its query and on the keys and values
// at positions 0..its own, bit for bit; not on where the cached part ends, on
// the block size, other rows, the pool or the vector width. Scratch memory: 4
// bytes a position and query row of a visit (at most 8), for each thread.
void AttentionCpu(const AttentionCpuArgs& args, ThreadPool& pool);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_ATTENTION_CPU_H_
