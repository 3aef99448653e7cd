#include "worker/memory_plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/size.h"

namespace hybridserve {
namespace {

int64_t Sum(const std::vector<MemoryItem>& items) {
  int64_t sum = 0;
  for (const MemoryItem& item : items) sum += item.bytes;
  return sum;
}

int64_t PartBytes(const WeightPlan& weights, size_t part) {
  return part == 0 ? weights.layer.vector_bytes
                   : weights.layer.pieces[part - 1].bytes;
}

void AppendTable(const std::string& title, int64_t limit,
                 const std::vector<MemoryItem>& items, std::string& text) {
  absl::StrAppendFormat(&text, "%s: %s of %s\n", title, FormatSize(Sum(items)),
                        FormatSize(std::max<int64_t>(limit, 0)));
  for (const MemoryItem& item : items) {
    absl::StrAppendFormat(&text, "  %-24s %12s\n", item.name,
                          FormatSize(item.bytes));
  }
}

}  // namespace

int64_t MemoryPlan::device_bytes() const { return Sum(device); }
int64_t MemoryPlan::host_bytes() const { return Sum(host); }

int64_t MemoryPlan::streamed_layer_bytes(const WeightPlan& weights) const {
  int64_t bytes = 0;
  for (size_t i = 0; i < resident_layer_parts.size(); ++i) {
    if (!resident_layer_parts[i]) bytes += PartBytes(weights, i);
  }
  return bytes;
}

int64_t MemoryPlan::streamed_head_bytes(const WeightPlan& weights) const {
  int64_t bytes = 0;
  for (size_t i = 0; i < resident_head_slices.size(); ++i) {
    if (!resident_head_slices[i]) bytes += weights.head.slices[i].bytes;
  }
  return bytes;
}

std::string MemoryPlan::ToString() const {
  std::string text;
  AppendTable("host memory", host_limit, host, text);
  if (one_memory) {
    absl::StrAppend(&text, "device memory: one with the host's\n");
  } else {
    AppendTable("device memory", device_limit, device, text);
  }
  absl::StrAppendFormat(
      &text,
      "step: %d rows, %d that sample, %d recomputed besides; staging: %d areas "
      "of %d half-slots\n"
      "cache: %d half-slots on the host, %d on the device, %s each a layer",
      step.rows, step.logit_rows, step.recomputed_rows, staging_areas,
      staging_half_slots, host_half_slots, device_half_slots,
      FormatSize(half_slot_bytes));
  return text;
}

}  // namespace hybridserve
