#ifndef HYBRIDSERVE_COMMON_CACHE_TABLE_HASH_H_
#define HYBRIDSERVE_COMMON_CACHE_TABLE_HASH_H_

#include <cstdint>

#include "absl/types/span.h"
#include "common/cache/block_ref.h"

namespace hybridserve {

// A fingerprint of a sequence's block table, by which scheduler and worker see
// that theirs agree: FNV-1a (64 bits) over ten bytes a block, in order: kind,
// tier, `first` and `second`, each little-endian. The same on every machine.
uint64_t BlockTableHash(absl::Span<const BlockRef> table);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_CACHE_TABLE_HASH_H_
