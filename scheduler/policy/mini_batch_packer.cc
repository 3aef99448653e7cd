#include "scheduler/policy/mini_batch_packer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/container/btree_set.h"

// The number of mini-batches is fixed first: the fewest that could hold the
// items (and 1/64 more), or as many as next fit makes. An item, longest first,
// looks at a few of the emptiest mini-batches and goes where link and compute
// then differ least: so they fill evenly and what is left at the end, small,
// still fits. Where something does not, fewer are looked at, then more tried.

namespace hybridserve {
namespace {

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

double Difference(const PackItem& item) {
  return item.load_seconds - item.compute_seconds;
}

// Mini-batches being filled.
class OpenBatches {
 public:
  OpenBatches(int64_t count, const PackLimits& limits)
      : batches_(count), limits_(limits) {
    for (int64_t i = 0; i < count; ++i) {
      batches_[i].difference =
          limits.shared_load_seconds / static_cast<double>(count);
      by_fill_.insert({0, static_cast<int32_t>(i)});
    }
  }

  // Puts the item where it evens out best among the `looks` emptiest; false if
  // it fits in none of them.
  bool Put(int32_t index, const PackItem& item, int looks) {
    auto best = by_fill_.end();
    double best_difference = 0;
    auto it = by_fill_.begin();
    for (int i = 0; i < looks && it != by_fill_.end(); ++i, ++it) {
      const Batch& batch = batches_[it->second];
      if (batch.half_slots + item.staged_half_slots > limits_.half_slots ||
          batch.rows + item.rows > limits_.rows) {
        continue;
      }
      const double difference = std::abs(batch.difference + Difference(item));
      if (best == by_fill_.end() || difference < best_difference) {
        best = it;
        best_difference = difference;
      }
    }
    if (best == by_fill_.end()) return false;
    const int32_t chosen = best->second;
    by_fill_.erase(best);
    Batch& to = batches_[chosen];
    to.items.push_back(index);
    to.half_slots += item.staged_half_slots;
    to.rows += item.rows;
    to.difference += Difference(item);
    by_fill_.insert({Fill(to), chosen});
    return true;
  }

  std::vector<MiniBatch> Take() && {
    std::vector<MiniBatch> taken;
    for (Batch& batch : batches_) {
      if (batch.items.empty()) continue;
      std::sort(batch.items.begin(), batch.items.end());
      taken.push_back({.sequences = std::move(batch.items)});
    }
    std::sort(taken.begin(), taken.end(),
              [](const MiniBatch& a, const MiniBatch& b) {
                return a.sequences.front() < b.sequences.front();
              });
    return taken;
  }

 private:
  struct Batch {
    std::vector<int32_t> items;
    int64_t half_slots = 0;
    int64_t rows = 0;
    double difference = 0;  // Link - compute, seconds.
  };

  // The share of the scarcer limit.
  double Fill(const Batch& batch) const {
    const auto share = [](int64_t part, int64_t whole) {
      return static_cast<double>(part) /
             static_cast<double>(std::max<int64_t>(whole, 1));
    };
    return std::max(share(batch.half_slots, limits_.half_slots),
                    share(batch.rows, limits_.rows));
  }

  std::vector<Batch> batches_;
  const PackLimits limits_;
  absl::btree_set<std::pair<double, int32_t>> by_fill_;
};

std::optional<std::vector<MiniBatch>> PackInto(
    int64_t count, int looks, absl::Span<const PackItem> items,
    absl::Span<const int32_t> longest_first, const PackLimits& limits) {
  OpenBatches open(count, limits);
  for (const int32_t i : longest_first) {
    if (!open.Put(i, items[i], looks)) return std::nullopt;
  }
  return std::move(open).Take();
}

// Indices by what is scarcer, staging, then by time.
std::vector<int32_t> LongestFirst(absl::Span<const PackItem> items) {
  struct Length {
    int64_t half_slots;
    double seconds;
    int32_t index;
  };
  std::vector<Length> lengths;
  lengths.reserve(items.size());
  for (const PackItem& item : items) {
    lengths.push_back(
        {.half_slots = item.staged_half_slots,
         .seconds = std::max(item.load_seconds, item.compute_seconds),
         .index = static_cast<int32_t>(lengths.size())});
  }
  std::sort(lengths.begin(), lengths.end(),
            [](const Length& a, const Length& b) {
              if (a.half_slots != b.half_slots) {
                return a.half_slots > b.half_slots;
              }
              if (a.seconds != b.seconds) return a.seconds > b.seconds;
              return a.index < b.index;
            });
  std::vector<int32_t> indices;
  indices.reserve(lengths.size());
  for (const Length& length : lengths) indices.push_back(length.index);
  return indices;
}

// The fewest mini-batches that could hold the items, by their sums.
int64_t FewestBatches(absl::Span<const PackItem> items,
                      const PackLimits& limits) {
  int64_t half_slots = 0;
  int64_t rows = 0;
  for (const PackItem& item : items) {
    half_slots += item.staged_half_slots;
    rows += item.rows;
  }
  return std::max<int64_t>(
      {1, CeilDiv(half_slots, std::max<int64_t>(limits.half_slots, 1)),
       CeilDiv(rows, std::max<int64_t>(limits.rows, 1))});
}

}  // namespace

int64_t StagedHalfSlots(const BlockRef& block) {
  if (block.kind == CacheKind::kAct) return 3;
  return block.tier == Tier::kDevice ? 0 : 2;
}

int64_t StagedHalfSlots(absl::Span<const BlockRef> blocks) {
  int64_t sum = 0;
  for (const BlockRef& block : blocks) sum += StagedHalfSlots(block);
  return sum;
}

std::vector<MiniBatch> PackMiniBatches(absl::Span<const PackItem> items,
                                       const PackLimits& limits) {
  std::vector<MiniBatch> in_order = PackInOrder(items, limits);
  const auto most = static_cast<int64_t>(in_order.size());
  if (most <= 1) return in_order;
  const std::vector<int32_t> longest_first = LongestFirst(items);
  const double imbalance = Imbalance(items, limits, in_order);
  const int64_t fewest = FewestBatches(items, limits);
  for (const int64_t count : {fewest + fewest / 64, most}) {
    if (count > most) break;
    for (const int looks : {8, 2}) {
      auto packed = PackInto(count, looks, items, longest_first, limits);
      if (packed.has_value() &&
          Imbalance(items, limits, *packed) <= imbalance) {
        return *std::move(packed);
      }
    }
  }
  return in_order;
}

std::vector<MiniBatch> PackInOrder(absl::Span<const PackItem> items,
                                   const PackLimits& limits) {
  std::vector<MiniBatch> batches;
  int64_t half_slots = 0;
  int64_t rows = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const PackItem& item = items[i];
    if (batches.empty() ||
        half_slots + item.staged_half_slots > limits.half_slots ||
        rows + item.rows > limits.rows) {
      batches.emplace_back();
      half_slots = 0;
      rows = 0;
    }
    batches.back().sequences.push_back(static_cast<int32_t>(i));
    half_slots += item.staged_half_slots;
    rows += item.rows;
  }
  return batches;
}

double Imbalance(absl::Span<const PackItem> items, const PackLimits& limits,
                 absl::Span<const MiniBatch> batches) {
  double sum = 0;
  for (const MiniBatch& batch : batches) {
    double difference =
        limits.shared_load_seconds / static_cast<double>(batches.size());
    for (const int32_t i : batch.sequences) difference += Difference(items[i]);
    sum += std::abs(difference);
  }
  return sum;
}

}  // namespace hybridserve
