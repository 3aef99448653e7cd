#ifndef HYBRIDSERVE_SCHEDULER_POLICY_STEP_COST_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_STEP_COST_H_

#include <algorithm>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/cache/block_ref.h"
#include "common/model_config.h"
#include "common/work_profile.h"
#include "common/worker_info.h"

namespace hybridserve {

// What a worker and its model have of everything, whatever runs.
struct DecodeShape {
  int64_t num_layers = 1;
  double layer_weight_bytes = 0;  // Of one layer, over the link every step.
  double head_weight_bytes = 0;   // Of the LM head, over the link every step.
  int64_t head_slices = 1;
  double kv_bytes_per_token = 0;   // K and V, a layer.
  double act_bytes_per_token = 0;  // The checkpoint row, a layer.
  double input_bytes_per_row = 0;  // An embedding row.
  int32_t block_tokens = 16;
  int64_t staging_half_slots = 0;  // A mini-batch's, in one layer.
  int64_t step_rows = 0;           // That run through a layer at once, at most.
  int64_t recomputed_tokens = 0;   // Of TOKENS blocks, a step, at most.
  bool act_pays = true;            // ACT is smaller than K and V.
  bool one_memory = false;         // There is no link.
};

// What the planner knows of a worker: its device's costs and what they are
// paid for.
struct CostModel {
  WorkProfile profile;
  DecodeShape shape;

  // From what the worker registered and its model's dimensions. Where it
  // registered no fits, lines through the origin made from its three rates; no
  // rates: all is free.
  static CostModel Of(const WorkerInfo& info, const ModelConfig& config);

  // No piece of work costs anything: there is nothing to choose by.
  bool is_free() const;
};

// Blocks of all sequences by kind and tier. Fractions stand for averages.
struct BlockCounts {
  double kv_device = 0;
  double kv_host = 0;
  double act_device = 0;
  double act_host = 0;
  double tokens = 0;  // Recomputed in every step.

  void Add(const BlockRef& block) { CountOf(block) += 1; }
  void Remove(const BlockRef& block) { CountOf(block) -= 1; }
  double& CountOf(const BlockRef& block) {
    if (block.kind == CacheKind::kTokens) return tokens;
    const bool on_device = block.tier == Tier::kDevice;
    return block.kind == CacheKind::kKv ? (on_device ? kv_device : kv_host)
                                        : (on_device ? act_device : act_host);
  }
  BlockCounts& operator+=(const BlockCounts& other) {
    kv_device += other.kv_device;
    kv_host += other.kv_host;
    act_device += other.act_device;
    act_host += other.act_host;
    tokens += other.tokens;
    return *this;
  }
  double act() const { return act_device + act_host; }
  double total() const { return kv_device + kv_host + act(); }  // Kept ones.
  // Half-slots of one layer's staging buffer (StagedHalfSlots()).
  double staged_half_slots() const {
    return 2 * (kv_host + tokens) + 3 * act();
  }
  BlockCounts operator*(double factor) const {
    return {kv_device * factor, kv_host * factor, act_device * factor,
            act_host * factor, tokens * factor};
  }
};

// What a step computes.
struct StepLoad {
  double sequences = 0;
  double context_tokens = 0;  // Cached, of all sequences.
  double new_rows = 0;        // = sequences when all decode.
  // Of the rows of the blocks that hold the context, how many are filled. Only
  // those cross the link; rebuild takes whole blocks.
  double fill = 1;
};

// Bytes over the link in a step, all layers together.
struct StepBytes {
  double weights = 0;  // The LM head's, too.
  double kv = 0;
  double act = 0;
  double write_back = 0;
};

// Predicted times of one step, in seconds.
struct StepTime {
  int64_t num_layers = 1;
  int64_t mini_batches = 0;
  // One layer, by what does it at the same time as the others.
  double link = 0;
  double compute = 0;
  double copy_out = 0;
  double weights = 0;  // Of `link`: in one go with the first mini-batch in a
                       // zig-zag schedule.
  bool zig_zag = false;
  // Outside the layers, a step: LM head, embedding rows.
  double head_link = 0;
  double head_compute = 0;

  double layer() const;
  // The longest of link, compute and copy-out over the whole step: it wraps,
  // the next one's first weights and blocks come while this one ends. Not so in
  // a zig-zag schedule.
  double step() const {
    const auto layers = static_cast<double>(num_layers);
    if (zig_zag) return layers * layer() + std::max(head_link, head_compute);
    return std::max({layers * link + head_link, layers * compute + head_compute,
                     layers * copy_out});
  }
  // What the layers wait for: "link", "compute", "write-back"; "balanced" where
  // link and compute are within 2% of each other.
  absl::string_view binds() const;
};

// Seconds, in one layer, of what sequences add to their mini-batch. What pieces
// cost whatever their size is left out.
struct SequenceCosts {
  double weights = 0;   // The layer's, all mini-batches together.
  double load_kv = 0;   // A host KV block.
  double load_act = 0;  // A host ACT block.
  double rebuild = 0;   // An ACT block.
  double row = 0;       // A new row.
  double pair = 0;      // A new row and a position that it attends to.

  static SequenceCosts Of(const CostModel& costs);
};

// Mini-batches of a step of equal sequences that stage so much in all: as few
// as the buffer allows, whole sequences in each, at least one a sequence at
// worst.
int64_t NumMiniBatches(const DecodeShape& shape, double sequences,
                       double staged_half_slots);

// TOKENS blocks among the first `num_blocks` of a sequence, for a share
// `recompute_ratio`: whole ones, and no more than the worker could recompute.
int64_t RecomputedBlocks(const DecodeShape& shape, double recompute_ratio,
                         int64_t num_blocks);

// A step's times (PAPER.md 1.3, DESIGN.md 4): every layer pays
//   link     = weights + KV and ACT from the host
//   compute  = rebuild of all ACT + forward + attention, these two also of
//              recomputed rows (in the last layer only their K and V)
//   copy-out = new rows of host blocks, spread like the blocks
// each kind in one piece a mini-batch (copy-out: one). `blocks` are those that
// hold the context. A kind with nothing to do costs nothing.
StepTime PredictStep(const CostModel& costs, const StepLoad& load,
                     const BlockCounts& blocks);

// What that step moves.
StepBytes PredictStepBytes(const DecodeShape& shape, const StepLoad& load,
                           const BlockCounts& blocks);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_STEP_COST_H_
