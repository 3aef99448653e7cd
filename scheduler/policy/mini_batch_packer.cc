#include "scheduler/policy/mini_batch_packer.h"

#include <algorithm>
#include <optional>

#include "scheduler/policy/open_batches.h"
#include "scheduler/policy/radix_order.h"

// The number of mini-batches is fixed first: the fewest that could hold the
// items (and 1/64 more), or as many as next fit makes. An item, longest first,
// looks at a few of the emptiest mini-batches and goes where it adds least to
// the longer of link and compute: so they fill evenly and what is left at the
// end, small, still fits. Where something does not, fewer are looked at, then
// more tried.

namespace hybridserve {
namespace {

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Indices by what is scarcer, staging, then by time, which is rounded to a
// 2^24th of the longest.
std::vector<int32_t> LongestFirst(absl::Span<const PackItem> items) {
  constexpr int64_t kMost = (int64_t{1} << 24) - 1;
  const auto seconds = [](const PackItem& item) {
    return std::max(item.load_seconds, item.compute_seconds);
  };
  double most_seconds = 0;
  for (const PackItem& item : items) {
    most_seconds = std::max(most_seconds, seconds(item));
  }
  const double scale =
      most_seconds > 0 ? static_cast<double>(kMost) / most_seconds : 0;
  std::vector<uint64_t> lengths;
  lengths.reserve(items.size());
  for (const PackItem& item : items) {
    const auto half_slots =
        static_cast<uint64_t>(std::min(item.staged_half_slots, kMost));
    lengths.push_back(half_slots << 24 |
                      static_cast<uint64_t>(seconds(item) * scale));
  }
  return LargestFirst(lengths);
}

// The mini-batch of each item, if `count` of them hold all.
std::optional<std::vector<int32_t>> PackInto(
    int64_t count, int looks, absl::Span<const PackItem> items,
    absl::Span<const int32_t> longest_first, const PackLimits& limits) {
  OpenBatches open(count, limits);
  std::vector<int32_t> batch_of(items.size());
  for (const int32_t i : longest_first) {
    batch_of[i] = open.Put(items[i], looks);
    if (batch_of[i] == -1) return std::nullopt;
  }
  return batch_of;
}

// Both they and their items in ascending order.
std::vector<MiniBatch> Collect(absl::Span<const int32_t> batch_of,
                               int64_t count) {
  std::vector<int32_t> place(count, -1);
  std::vector<MiniBatch> batches;
  for (size_t i = 0; i < batch_of.size(); ++i) {
    int32_t& at = place[batch_of[i]];
    if (at == -1) {
      at = static_cast<int32_t>(batches.size());
      batches.emplace_back();
    }
    batches[at].sequences.push_back(static_cast<int32_t>(i));
  }
  return batches;
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
  return block.tier == Tier::kDevice ? 0 : 2;  // TOKENS are HOST's.
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
  const double wait = WaitSeconds(items, limits, in_order);
  const int64_t fewest = FewestBatches(items, limits);
  for (const int64_t count : {fewest + fewest / 64, most}) {
    if (count > most) break;
    for (const int looks : {8, 2}) {
      const auto batch_of =
          PackInto(count, looks, items, longest_first, limits);
      if (!batch_of.has_value()) continue;
      std::vector<MiniBatch> packed = Collect(*batch_of, count);
      if (WaitSeconds(items, limits, packed) <= wait) return packed;
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

double WaitSeconds(absl::Span<const PackItem> items, const PackLimits& limits,
                   absl::Span<const MiniBatch> batches) {
  if (batches.empty()) return 0;
  const double share =
      limits.shared_load_seconds / static_cast<double>(batches.size());
  PackItem all;
  double seconds = 0;
  for (const MiniBatch& batch : batches) {
    PackItem sum = {.load_seconds = share};
    for (const int32_t i : batch.sequences) sum = sum + items[i];
    seconds += sum.seconds();
    all = all + sum;
  }
  return seconds - all.seconds();
}

}  // namespace hybridserve
