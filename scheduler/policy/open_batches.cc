#include "scheduler/policy/open_batches.h"

#include <algorithm>
#include <bit>

namespace hybridserve {
namespace {

// Differences below that are rounding, in seconds.
constexpr double kTie = 1e-12;

double Inverse(int64_t limit) {
  return 1 / static_cast<double>(std::max<int64_t>(limit, 1));
}

}  // namespace

OpenBatches::OpenBatches(int64_t count, const PackLimits& limits)
    : batches_(count),
      limits_(limits),
      levels_per_half_slot_((kLevels - 1) * Inverse(limits.half_slots)),
      levels_per_row_((kLevels - 1) * Inverse(limits.rows)) {
  for (int64_t i = 0; i < count; ++i) {
    batches_[i].sum.load_seconds =
        limits.shared_load_seconds / static_cast<double>(count);
    Append(static_cast<int32_t>(i), 0);
  }
}

int32_t OpenBatches::Put(const PackItem& item, int looks) {
  int32_t best = -1;
  double best_added = 0;
  int32_t level = NextLevel(0);
  for (int32_t at = level < kLevels ? levels_[level].first : -1;
       at != -1 && looks > 0; --looks) {
    const PackItem& sum = batches_[at].sum;
    const PackItem with = sum + item;
    if (with.staged_half_slots <= limits_.half_slots &&
        with.rows <= limits_.rows) {
      const double added = with.seconds() - sum.seconds();
      if (best == -1 || added < best_added - kTie) {
        best = at;
        best_added = added;
      }
    }
    at = batches_[at].next;
    if (at == -1) {
      level = NextLevel(level + 1);
      if (level < kLevels) at = levels_[level].first;
    }
  }
  if (best == -1) return -1;
  Remove(best);
  Batch& to = batches_[best];
  to.sum = to.sum + item;
  Append(best, LevelOf(to));
  return best;
}

int32_t OpenBatches::LevelOf(const Batch& batch) const {
  const double level = std::max(
      static_cast<double>(batch.sum.staged_half_slots) * levels_per_half_slot_,
      static_cast<double>(batch.sum.rows) * levels_per_row_);
  return std::min(static_cast<int32_t>(level), kLevels - 1);
}

void OpenBatches::Append(int32_t index, int32_t level) {
  Level& list = levels_[level];
  Batch& batch = batches_[index];
  batch.level = level;
  batch.next = -1;
  batch.previous = list.last;
  (list.last == -1 ? list.first : batches_[list.last].next) = index;
  list.last = index;
  occupied_[level / 64] |= uint64_t{1} << level % 64;
}

void OpenBatches::Remove(int32_t index) {
  const Batch& batch = batches_[index];
  Level& list = levels_[batch.level];
  (batch.previous == -1 ? list.first : batches_[batch.previous].next) =
      batch.next;
  (batch.next == -1 ? list.last : batches_[batch.next].previous) =
      batch.previous;
  if (list.first == -1) {
    occupied_[batch.level / 64] &= ~(uint64_t{1} << batch.level % 64);
  }
}

int32_t OpenBatches::NextLevel(int32_t level) const {
  while (level < kLevels) {
    const uint64_t rest = occupied_[level / 64] >> level % 64;
    if (rest != 0) return level + std::countr_zero(rest);
    level = (level / 64 + 1) * 64;
  }
  return kLevels;
}

}  // namespace hybridserve
