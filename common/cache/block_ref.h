#ifndef HYBRIDSERVE_COMMON_CACHE_BLOCK_REF_H_
#define HYBRIDSERVE_COMMON_CACHE_BLOCK_REF_H_

#include <cstdint>

#include "common/ids.h"

namespace hybridserve {

// What a block keeps of its tokens (DESIGN.md 3).
enum class CacheKind : uint8_t {
  kKv = 1,      // Keys and values, one half-slot each.
  kAct = 2,     // The QKV GEMM's input rows, one half-slot.
  kTokens = 3,  // Nothing: recomputed from token ids in every step.
};

// Where a block's slot lies. DISK joins later.
enum class Tier : uint8_t { kDevice = 1, kHost = 2 };

// One block of a sequence: 16 (block_tokens) consecutive positions, in every
// layer. `first` is K's half-slot or ACT's; `second` is V's, unused for ACT. A
// TOKENS block has no half-slots: tier HOST, `first` and `second` 0. TOKENS
// blocks come before all others in a table, for a recomputed position needs
// the positions before it.
struct BlockRef {
  CacheKind kind = CacheKind::kKv;
  Tier tier = Tier::kHost;
  HalfSlot first{0};
  HalfSlot second{0};  // 0 but for KV.

  friend bool operator==(const BlockRef&, const BlockRef&) = default;
};

constexpr int HalfSlotsOf(CacheKind kind) {
  switch (kind) {
    case CacheKind::kKv:
      return 2;
    case CacheKind::kAct:
      return 1;
    case CacheKind::kTokens:
      break;
  }
  return 0;
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_CACHE_BLOCK_REF_H_
