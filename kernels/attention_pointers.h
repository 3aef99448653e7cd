#ifndef HYBRIDSERVE_KERNELS_ATTENTION_POINTERS_H_
#define HYBRIDSERVE_KERNELS_ATTENTION_POINTERS_H_

#include <cstdint>

#include "common/dtype.h"

namespace hybridserve {

// A cached block's keys and values, [block_tokens, kv_width] each.
struct KvBlockPointers {
  const void* k;
  const void* v;
};

// What every implementation of AttentionArgs (kernels/ops.h) takes besides the
// sequences, in its memory. Row-major; strides in elements.
struct AttentionPointers {
  DType dtype;  // Of all tensors: one that the implementation computes in.
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
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_ATTENTION_POINTERS_H_
