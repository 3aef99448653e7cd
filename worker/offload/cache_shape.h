#ifndef HYBRIDSERVE_WORKER_OFFLOAD_CACHE_SHAPE_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_CACHE_SHAPE_H_

#include <cstdint>

#include "common/dtype.h"
#include "common/model_config.h"

namespace hybridserve {

// Sizes of a cached token and block in one layer. K, V and ACT rows of a block
// lie densely from the start of their half-slot.
struct CacheShape {
  DType dtype = DType::kFloat32;
  int64_t block_tokens = 16;
  int64_t kv_width = 0;     // Elements of a K or V row.
  int64_t act_width = 0;    // Elements of an ACT row.
  bool has_rotary = false;  // Keys are turned by their positions.

  static CacheShape Of(const ModelConfig& config, DType dtype,
                       int64_t block_tokens) {
    return {.dtype = dtype,
            .block_tokens = block_tokens,
            .kv_width = config.kv_width(),
            .act_width = config.hidden,
            .has_rotary = config.has_rotary()};
  }

  int64_t kv_row_bytes() const { return kv_width * SizeOf(dtype); }
  int64_t act_row_bytes() const { return act_width * SizeOf(dtype); }
  int64_t kv_block_bytes() const { return block_tokens * kv_row_bytes(); }
  int64_t act_block_bytes() const { return block_tokens * act_row_bytes(); }
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_CACHE_SHAPE_H_
