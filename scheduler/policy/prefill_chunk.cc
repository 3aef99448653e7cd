#include "scheduler/policy/prefill_chunk.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/time/time.h"
#include "common/work.h"

// Prompt rows are computed either way, so a smaller chunk costs little as long
// as the device computes all the time: with rows up to the slack it does, and
// the weights that the link brings anyway serve both prompts and decoding. Rows
// beyond it make those that decode wait; but without any, prompts would hold
// slots and get nowhere, and few would decode together. Where no request waits,
// places of those that end early stay empty, so that the last prompt decides
// when all have ended (docs/decisions/0006).

namespace hybridserve {
namespace {

// A step without its prompt rows.
struct DecodePart {
  StepLoad load;
  // Cached blocks of what decodes and of the prompt that is next.
  BlockCounts blocks;
  bool has_prompt = false;
  double prompt_context = 0;  // Cached positions of that prompt.
};

DecodePart DecodePartOf(const StepSnapshot& snapshot) {
  DecodePart part;
  for (const SequenceView& sequence : snapshot.sequences) {
    if (sequence.num_ready == 0) continue;
    const auto cached = static_cast<double>(sequence.num_cached);
    if (!sequence.is_prefill) {
      part.load.sequences += 1;
      part.load.new_rows += 1;
      part.load.context_tokens += cached;
      part.blocks += sequence.cached;
    } else if (!part.has_prompt) {
      part.has_prompt = true;
      part.prompt_context = cached;
      part.blocks += sequence.cached;
    }
  }
  return part;
}

// The rows of a prompt that fit `seconds` of computing: the largest r with
// row r + pair r (context + (r + 1) / 2) <= seconds.
double RowsIn(double seconds, double context, const SequenceCosts& costs) {
  if (seconds <= 0) return 0;
  if (std::isinf(seconds)) return seconds;
  const double linear = costs.row + costs.pair * (context + 0.5);
  const double square = costs.pair / 2;
  if (linear <= 0) return std::numeric_limits<double>::infinity();
  if (square <= 0) return seconds / linear;
  // The form that does not cancel where square is small.
  return 2 * seconds /
         (linear + std::sqrt(linear * linear + 4 * square * seconds));
}

// Seconds that a new row takes to be written back, in one layer.
double WriteBackOf(const CostModel& costs, const BlockCounts& blocks) {
  if (blocks.total() <= 0) return 0;
  const double bytes = (blocks.kv_host * costs.shape.kv_bytes_per_token +
                        blocks.act_host * costs.shape.act_bytes_per_token) /
                       blocks.total();
  return bytes * costs.profile.cost(WorkKind::kWriteBack).seconds_per_unit;
}

}  // namespace

int64_t PrefillRowsInSlack(const StepSnapshot& snapshot) {
  const RosterLimits& limits = snapshot.limits;
  const int64_t most = limits.prefill_chunk_tokens;
  const CostModel* const model = snapshot.model;
  if (model == nullptr || model->is_free() || model->shape.one_memory) {
    return most;
  }
  const DecodePart part = DecodePartOf(snapshot);
  if (!part.has_prompt || part.load.sequences == 0) return most;

  const StepTime base = PredictStep(*model, part.load, part.blocks);
  double layer = snapshot.waiting > 0 ? base.compute + base.layer()
                                      : std::numeric_limits<double>::infinity();
  if (limits.max_step_time != absl::InfiniteDuration()) {
    const double head = std::max(base.head_link, base.head_compute);
    layer =
        std::min(layer, (absl::ToDoubleSeconds(limits.max_step_time) - head) /
                            static_cast<double>(base.num_layers));
  }
  double rows = RowsIn(layer - base.compute, part.prompt_context,
                       SequenceCosts::Of(*model));
  const double write_back = WriteBackOf(*model, part.blocks);
  if (write_back > 0) {
    rows = std::min(rows, (layer - base.copy_out) / write_back);
  }
  const auto least = static_cast<double>(limits.block_tokens);
  return static_cast<int64_t>(
      std::min(std::max(rows, least), static_cast<double>(most)));
}

}  // namespace hybridserve
