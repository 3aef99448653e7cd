#include "scheduler/core/running_sequence.h"

#include <algorithm>
#include <utility>

#include "absl/types/span.h"
#include "common/cache/table_hash.h"
#include "glog/logging.h"

namespace hybridserve {

namespace {

// Rows whose input is known or on its way.
int64_t NumKnown(const RunningSequence& sequence) {
  const LiveRequest& live = sequence.live;
  if (live.request.is_score()) {
    return sequence.prefill_positions - sequence.num_scheduled;
  }
  // The last token of all, which max_tokens forbids to go on from, gets no row.
  if (live.num_generated() + sequence.samples_in_flight >=
      live.request.max_tokens) {
    return 0;
  }
  return static_cast<int64_t>(live.tokens.size()) + sequence.samples_in_flight -
         sequence.num_scheduled;
}

}  // namespace

SequenceView RunningSequence::View(int32_t block_tokens) const {
  const int64_t room =
      static_cast<int64_t>(blocks.size()) * block_tokens - num_scheduled;
  return {.num_cached = num_scheduled,
          .num_ready = std::min(NumKnown(*this), room),
          .is_prefill = num_scheduled < prefill_positions,
          .samples = !live.request.is_score(),
          .cached = cached};
}

int64_t RunningSequence::NumBlocksWanted(int32_t block_tokens) const {
  const int64_t known = NumKnown(*this);
  if (known == 0) return static_cast<int64_t>(blocks.size());
  const int64_t positions =
      std::min(num_scheduled + known + 1, live.max_positions());
  return (positions + block_tokens - 1) / block_tokens;
}

Footprint RunningSequence::footprint() const {
  return {.blocks = static_cast<int64_t>(blocks.size()),
          .half_slots = half_slots,
          .full_blocks = static_cast<int64_t>(kinds.size()),
          .full_half_slots = full_half_slots,
          .positions = static_cast<int64_t>(live.tokens.size()),
          .generated = live.num_generated(),
          .max_tokens = live.request.is_score() ? 0 : live.request.max_tokens};
}

void RunningSequence::AddTo(StepPlan& plan, int32_t num_new,
                            int32_t block_tokens) {
  const SequenceView view = View(block_tokens);
  CHECK_GE(num_new, 1);
  CHECK_LE(num_new, view.num_ready);
  const int64_t end = num_scheduled + num_new;
  const int64_t num_blocks = (end + block_tokens - 1) / block_tokens;
  CHECK_LE(num_blocks, static_cast<int64_t>(blocks.size()));
  if (num_blocks > num_sent_blocks) {
    TableUpdate update = {.sequence = live.sequence,
                          .first_block = static_cast<int32_t>(num_sent_blocks)};
    update.blocks.assign(blocks.begin() + num_sent_blocks,
                         blocks.begin() + num_blocks);
    update.table_hash =
        BlockTableHash(absl::MakeConstSpan(blocks).subspan(0, num_blocks));
    plan.table_updates.push_back(std::move(update));
    num_sent_blocks = num_blocks;
  }

  StepSequence step = {.sequence = live.sequence,
                       .num_cached = static_cast<int32_t>(num_scheduled),
                       .num_new = num_new};
  // Unknown yet: the token that the plan before this one samples.
  if (num_scheduled < static_cast<int64_t>(live.tokens.size())) {
    step.new_tokens.assign(live.tokens.begin() + num_scheduled,
                           live.tokens.begin() + end);
  }
  if (live.request.is_score()) {
    step.score_targets.assign(
        live.request.score_targets.begin() + num_scheduled,
        live.request.score_targets.begin() + end);
  }
  if (view.samples && num_new == view.num_ready) {
    step.sample = true;
    step.sampling = live.request.sampling;
    step.num_prompt = static_cast<int32_t>(live.request.prompt.size());
    ++samples_in_flight;
  }
  const int64_t num_cached = (num_scheduled + block_tokens - 1) / block_tokens;
  for (int64_t i = num_cached; i < num_blocks; ++i) cached.Add(blocks[i]);
  num_scheduled = end;
  plan.sequences.push_back(std::move(step));
}

int64_t RunningSequence::MostConvertible(int64_t num_cached,
                                         int32_t block_tokens) const {
  const int64_t whole = num_cached / block_tokens;
  auto count = static_cast<int64_t>(cached.act());
  const auto end =
      std::min<int64_t>((num_scheduled + block_tokens - 1) / block_tokens,
                        static_cast<int64_t>(blocks.size()));
  for (int64_t i = whole; i < end; ++i) {
    count -= blocks[i].kind == CacheKind::kAct ? 1 : 0;
  }
  // All of one kind.
  if (num_probes > 0 && kinds[0] == CacheKind::kAct) {
    count -= std::min(num_probes, whole);
  }
  return std::max<int64_t>(count, 0);
}

std::vector<int32_t> RunningSequence::Convertible(int64_t num_cached,
                                                  int32_t block_tokens,
                                                  int64_t count) const {
  std::vector<int32_t> indices;
  const int64_t whole = num_cached / block_tokens;
  for (int64_t i = num_probes; i < whole; ++i) {
    if (static_cast<int64_t>(indices.size()) == count) break;
    if (blocks[i].kind != CacheKind::kAct) continue;
    indices.push_back(static_cast<int32_t>(i));
  }
  return indices;
}

std::vector<BlockRef> RunningSequence::Convert(
    absl::Span<const int32_t> indices, absl::Span<const BlockRef> places,
    StepPlan& plan) {
  CHECK_EQ(indices.size(), places.size());
  TableConversion conversion = {.sequence = live.sequence};
  std::vector<BlockRef> left;
  for (size_t i = 0; i < indices.size(); ++i) {
    BlockRef& block = blocks[indices[i]];
    CHECK(block.kind == CacheKind::kAct) << "block " << indices[i];
    left.push_back(block);
    cached.Remove(block);
    cached.Add(places[i]);
    block = places[i];
    kinds[indices[i]] = CacheKind::kKv;
    conversion.blocks.push_back({.block = indices[i], .to = places[i]});
  }
  const auto more = static_cast<int64_t>(indices.size());
  half_slots += more;
  full_half_slots += more;
  conversion.table_hash =
      BlockTableHash(absl::MakeConstSpan(blocks).subspan(0, num_sent_blocks));
  plan.conversions.push_back(std::move(conversion));
  return left;
}

}  // namespace hybridserve
