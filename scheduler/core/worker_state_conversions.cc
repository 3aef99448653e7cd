#include <algorithm>

#include "glog/logging.h"
#include "scheduler/core/worker_state.h"

// ACT that becomes KV (conversion.h says how much). A block's new half-slots
// are taken before the plan that converts it is sent and its old one is free
// after, like those of released sequences: in between it holds all three, and
// never is a half-slot in two tables. From then on the block is as if it had
// been KV from the beginning, whatever becomes of its sequence. Nobody gives
// way for a conversion: what all that runs may ever hold still fits. Nor does
// anybody wait for one: while requests are refused for want of room, there are
// none.

namespace hybridserve {
namespace {

// Half-slots that may be of no use to KV: the odd one of each tier.
constexpr int64_t kOddHalfSlots = 2;

}  // namespace

std::vector<BlockRef> WorkerState::AddConversions(
    const StepSnapshot& snapshot, const StepRoster& roster,
    absl::Span<RunningSequence* const> sequences, StepPlan& plan) {
  std::vector<BlockRef> left;
  if (!policy_.converts()) return left;
  const int32_t block_tokens = info_.numerics.block_tokens;
  ConversionRoom room = {
      .free_half_slots = slots_.num_free(),
      .device_blocks = slots_.DeviceRoomForKv(SharesOfDevice())};
  if (!room_wanted_) {
    room.spare_half_slots =
        slots_.capacity() - full_half_slots_ - kOddHalfSlots;
  }
  std::vector<int32_t> indices;  // Of `sequences`, a candidate each.
  std::vector<ConversionCandidate> candidates;
  for (const RosterEntry& entry : roster.entries) {
    const SequenceView& view = snapshot.sequences[entry.index];
    if (view.is_prefill) {
      room.prompt_rows += entry.num_new;
      continue;
    }
    const RunningSequence& sequence = *sequences[entry.index];
    indices.push_back(entry.index);
    candidates.push_back(
        {.context_tokens = view.num_cached,
         .blocks = view.cached,
         .convertible = sequence.MostConvertible(view.num_cached, block_tokens),
         .steps_left = sequence.live.request.max_tokens -
                       sequence.live.num_generated() -
                       sequence.samples_in_flight});
  }
  const std::vector<int64_t> counts =
      ChooseConversions(costs_, room, candidates);
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    RunningSequence& sequence = *sequences[indices[i]];
    const std::vector<int32_t> blocks = sequence.Convertible(
        candidates[i].context_tokens, block_tokens, counts[i]);
    if (blocks.empty()) continue;
    const auto places =
        slots_.Allocate(std::vector<CacheKind>(blocks.size(), CacheKind::kKv),
                        SharesOfDevice());
    if (!places.ok()) break;  // Halves are left over in either tier.
    const std::vector<BlockRef> more = sequence.Convert(blocks, *places, plan);
    left.insert(left.end(), more.begin(), more.end());
  }
  const auto count = static_cast<int64_t>(left.size());
  full_half_slots_ += count;
  totals_.converted_blocks += count;
  VLOG_IF(1, count > 0) << "convert worker=" << id_
                        << " step=" << plan.fence.step << " blocks=" << count;
  return left;
}

}  // namespace hybridserve
