#include "common/cache/table_hash.h"

#include <cstdint>

#include "absl/types/span.h"
#include "common/cache/block_ref.h"
#include "common/ids.h"

namespace hybridserve {
namespace {

constexpr uint64_t kOffsetBasis = 0xcbf29ce484222325;
constexpr uint64_t kPrime = 0x100000001b3;

void Fold(uint64_t value, int num_bytes, uint64_t& hash) {
  for (int i = 0; i < num_bytes; ++i) {
    hash ^= (value >> (8 * i)) & 0xff;
    hash *= kPrime;
  }
}

}  // namespace

uint64_t BlockTableHash(absl::Span<const BlockRef> table) {
  uint64_t hash = kOffsetBasis;
  for (const BlockRef& block : table) {
    Fold(static_cast<uint8_t>(block.kind), 1, hash);
    Fold(static_cast<uint8_t>(block.tier), 1, hash);
    Fold(static_cast<uint32_t>(block.first.value()), 4, hash);
    Fold(static_cast<uint32_t>(block.second.value()), 4, hash);
  }
  return hash;
}

}  // namespace hybridserve
