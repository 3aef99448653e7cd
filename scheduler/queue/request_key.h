#ifndef HYBRIDSERVE_SCHEDULER_QUEUE_REQUEST_KEY_H_
#define HYBRIDSERVE_SCHEDULER_QUEUE_REQUEST_KEY_H_

#include <cstdint>

#include "common/strong_int.h"

namespace hybridserve {

// One accepted request. Chosen by the core, never reused; a later request has
// a larger key.
using RequestKey = StrongInt<struct RequestKeyTag, uint64_t>;

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_QUEUE_REQUEST_KEY_H_
