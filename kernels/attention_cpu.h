#ifndef HYBRIDSERVE_KERNELS_ATTENTION_CPU_H_
#define HYBRIDSERVE_KERNELS_ATTENTION_CPU_H_

#include <cstdint>
#include <vector>

#include "kernels/attention_pointers.h"
#include "kernels/thread_pool.h"

namespace hybridserve {

// See AttentionSequence in kernels/ops.h.
struct AttentionCpuSequence {
  int64_t first_row;
  int64_t num_rows;
  int64_t num_cached;
  std::vector<KvBlockPointers> blocks;
};

struct AttentionCpuArgs : AttentionPointers {
  std::vector<AttentionCpuSequence> sequences;
};

// Exact: a row of the result depends on its query and on the keys and values
// at positions 0..its own, bit for bit; not on where the cached part ends, on
// the block size, other rows, the pool or the vector width. Scratch memory: 4
// bytes a position and query row of a visit (at most 8), for each thread.
void AttentionCpu(const AttentionCpuArgs& args, ThreadPool& pool);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_ATTENTION_CPU_H_
