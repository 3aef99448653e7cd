#ifndef HYBRIDSERVE_SCHEDULER_POLICY_RADIX_ORDER_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_RADIX_ORDER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace hybridserve {

// The indices of `keys`, that of the largest first; equal ones in their order.
// Linear in the number of keys, of which there are at most INT32_MAX.
std::vector<int32_t> LargestFirst(absl::Span<const uint64_t> keys);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_RADIX_ORDER_H_
