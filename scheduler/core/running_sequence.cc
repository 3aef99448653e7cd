#include "scheduler/core/running_sequence.h"

#include <utility>

#include "absl/types/span.h"
#include "common/cache/table_hash.h"
#include "glog/logging.h"

namespace hybridserve {

SequenceView RunningSequence::View() const {
  const GenerationRequest& request = live.request;
  int64_t num_ready = 0;
  if (request.is_score()) {
    num_ready = prefill_positions - num_scheduled;
  } else if (live.num_generated() + samples_in_flight < request.max_tokens) {
    // Every token has a row, those in flight too; the last one of all, which
    // max_tokens forbids to go on from, never gets here.
    num_ready = static_cast<int64_t>(live.tokens.size()) + samples_in_flight -
                num_scheduled;
  }
  return {.num_cached = num_scheduled,
          .num_ready = num_ready,
          .is_prefill = num_scheduled < prefill_positions,
          .samples = !request.is_score(),
          .blocks = blocks};
}

void RunningSequence::AddTo(StepPlan& plan, int32_t num_new,
                            int32_t block_tokens) {
  const SequenceView view = View();
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
    ++samples_in_flight;
  }
  num_scheduled = end;
  plan.sequences.push_back(std::move(step));
}

}  // namespace hybridserve
