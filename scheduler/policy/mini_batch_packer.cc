#include "scheduler/policy/mini_batch_packer.h"

namespace hybridserve {

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
                                       int64_t max_half_slots,
                                       int64_t max_rows) {
  std::vector<MiniBatch> batches;
  int64_t half_slots = 0;
  int64_t rows = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const PackItem& item = items[i];
    if (batches.empty() ||
        half_slots + item.staged_half_slots > max_half_slots ||
        rows + item.rows > max_rows) {
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

}  // namespace hybridserve
