#ifndef HYBRIDSERVE_SCHEDULER_POLICY_PACK_ITEM_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_PACK_ITEM_H_

#include <cstdint>

namespace hybridserve {

// What one sequence takes of a mini-batch, in one layer.
struct PackItem {
  int64_t staged_half_slots = 0;
  int64_t rows = 0;
  double load_seconds = 0;     // Of its blocks, over the link.
  double compute_seconds = 0;  // Rebuild, forward, attention.

  double surplus_load_seconds() const { return load_seconds - compute_seconds; }
};

struct PackLimits {
  int64_t half_slots = 0;
  int64_t rows = 0;
  // Link time that all mini-batches share evenly: the layer's weights.
  double shared_load_seconds = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_PACK_ITEM_H_
