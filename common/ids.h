#ifndef HYBRIDSERVE_COMMON_IDS_H_
#define HYBRIDSERVE_COMMON_IDS_H_

#include <cstdint>

#include "common/strong_int.h"

namespace hybridserve {

// A token run that owns cache blocks: one request's one output. Chosen by the
// scheduler, never reused while the scheduler lives.
using SequenceId = StrongInt<struct SequenceIdTag, uint64_t>;

// One registered worker connection. Chosen by the scheduler, never reused.
using WorkerId = StrongInt<struct WorkerIdTag, uint64_t>;

// The index of a half-slot in a pool: block_tokens x h elements in every layer.
using HalfSlot = StrongInt<struct HalfSlotTag, int32_t>;

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_IDS_H_
