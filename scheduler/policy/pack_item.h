#ifndef HYBRIDSERVE_SCHEDULER_POLICY_PACK_ITEM_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_PACK_ITEM_H_

#include <algorithm>
#include <cstdint>

namespace hybridserve {

// What one sequence, or several, take of a mini-batch, in one layer.
struct PackItem {
  int64_t staged_half_slots = 0;
  int64_t rows = 0;
  double load_seconds = 0;     // Of its blocks, over the link.
  double compute_seconds = 0;  // Rebuild, forward, attention.

  // Of the slower of the two, which go on at the same time.
  double seconds() const { return std::max(load_seconds, compute_seconds); }
};

inline PackItem operator+(const PackItem& a, const PackItem& b) {
  return {.staged_half_slots = a.staged_half_slots + b.staged_half_slots,
          .rows = a.rows + b.rows,
          .load_seconds = a.load_seconds + b.load_seconds,
          .compute_seconds = a.compute_seconds + b.compute_seconds};
}

struct PackLimits {
  int64_t half_slots = 0;
  int64_t rows = 0;
  // Link time that all mini-batches share evenly: the layer's weights.
  double shared_load_seconds = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_PACK_ITEM_H_
