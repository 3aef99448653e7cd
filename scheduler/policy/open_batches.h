#ifndef HYBRIDSERVE_SCHEDULER_POLICY_OPEN_BATCHES_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_OPEN_BATCHES_H_

#include <array>
#include <cstdint>
#include <vector>

#include "scheduler/policy/pack_item.h"

namespace hybridserve {

// A fixed number of mini-batches that fill evenly. Putting an item somewhere
// takes the same time however many there are: they are kept by levels of fill,
// of which there are a fixed number, and fill only grows.
//
// Thread-compatible.
class OpenBatches {
 public:
  // `count` >= 1.
  OpenBatches(int64_t count, const PackLimits& limits);

  // Puts the item where it adds least to the longer of link and compute, among
  // the `looks` emptiest; on a tie, into the emptiest, equally full ones in the
  // order of their last change. Returns which that is, or -1, changing nothing,
  // if it fits in none of them.
  int32_t Put(const PackItem& item, int looks);

 private:
  static constexpr int kLevels = 1024;

  struct Batch {
    PackItem sum;
    int32_t next = -1;  // Of its level.
    int32_t previous = -1;
    int32_t level = 0;
  };
  // A list of the batches that are as full; -1: none.
  struct Level {
    int32_t first = -1;
    int32_t last = -1;
  };

  // By the share of the scarcer limit.
  int32_t LevelOf(const Batch& batch) const;
  void Append(int32_t index, int32_t level);
  void Remove(int32_t index);
  // The first level from `level` on that has batches; kLevels: none.
  int32_t NextLevel(int32_t level) const;

  std::vector<Batch> batches_;
  const PackLimits limits_;
  const double levels_per_half_slot_;
  const double levels_per_row_;
  std::array<Level, kLevels> levels_;
  std::array<uint64_t, kLevels / 64> occupied_ = {};  // One bit a level.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_OPEN_BATCHES_H_
