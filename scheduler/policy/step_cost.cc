#include "scheduler/policy/step_cost.h"

#include <algorithm>
#include <cmath>

#include "common/dtype.h"
#include "common/work.h"

namespace hybridserve {
namespace {

double Inverse(double rate) {
  return rate > 0 ? 1 / rate : 0;  // 1/inf is 0: one memory.
}

bool HasFits(const WorkProfile& profile) {
  for (const WorkKind kind : kAllWorkKinds) {
    if (!profile.fits[kind].samples.empty()) return true;
  }
  return false;
}

// Lines without intercepts, from rates of each op alone.
WorkProfile FromRates(const WorkerProfile& rates, const ModelConfig& config,
                      int64_t head_slices) {
  const auto hidden = static_cast<double>(config.hidden);
  const auto heads_width =
      static_cast<double>(config.num_heads * config.head_dim);
  const double per_flop = Inverse(rates.gemm_flops_per_second);
  const double per_byte_in = Inverse(rates.link_bytes_per_second);
  const double per_byte_out = Inverse(rates.copy_out_bytes_per_second);
  WorkProfile profile;
  const auto set = [&profile](WorkKind kind, double seconds_per_unit) {
    profile.fits[kind].cost.seconds_per_unit = seconds_per_unit;
  };
  for (const WorkKind kind :
       {WorkKind::kWeights, WorkKind::kKv, WorkKind::kAct, WorkKind::kInputs}) {
    set(kind, per_byte_in);
  }
  set(WorkKind::kWriteBack, per_byte_out);
  // Two operations a multiplication: W_K and W_V; all; Q K' and P V.
  set(WorkKind::kRebuild,
      4 * hidden * static_cast<double>(config.kv_width()) * per_flop);
  set(WorkKind::kForward,
      2 * static_cast<double>(config.LayerParameters()) * per_flop);
  set(WorkKind::kAttention, 4 * heads_width * per_flop);
  set(WorkKind::kHead, 2 * hidden * static_cast<double>(config.vocab_size) /
                           static_cast<double>(head_slices) * per_flop);
  return profile;
}

// Seconds of `count` pieces of `units` in all; nothing to do costs nothing.
double Cost(const WorkProfile& profile, WorkKind kind, double count,
            double units) {
  if (units <= 0) return 0;
  return absl::ToDoubleSeconds(profile.cost(kind).fixed) * count +
         profile.cost(kind).seconds_per_unit * units;
}

// Over the link in one layer, but for the weights.
struct LayerBytes {
  double kv = 0;
  double act = 0;
  double write_back = 0;
};

LayerBytes BytesOfLayer(const DecodeShape& shape, const StepLoad& load,
                        const BlockCounts& blocks) {
  if (blocks.total() <= 0) return {};
  const double filled = load.fill * shape.block_tokens;
  const double kv = blocks.kv_host * shape.kv_bytes_per_token;
  const double act = blocks.act_host * shape.act_bytes_per_token;
  return {.kv = kv * filled,
          .act = act * filled,
          .write_back = load.new_rows / blocks.total() * (kv + act)};
}

}  // namespace

CostModel CostModel::Of(const WorkerInfo& info, const ModelConfig& config) {
  const auto element = static_cast<double>(SizeOf(info.numerics.dtype));
  CostModel costs;
  costs.shape = {
      .num_layers = std::max<int64_t>(config.num_layers, 1),
      .layer_weight_bytes = static_cast<double>(info.streamed_layer_bytes),
      .head_weight_bytes = static_cast<double>(info.streamed_head_bytes),
      .head_slices = std::max<int64_t>(info.head_slices, 1),
      .kv_bytes_per_token =
          2 * static_cast<double>(config.kv_width()) * element,
      .act_bytes_per_token = static_cast<double>(config.hidden) * element,
      .input_bytes_per_row = static_cast<double>(config.hidden) * sizeof(float),
      .block_tokens = info.numerics.block_tokens,
      .staging_half_slots = info.staging_half_slots,
      .step_rows = info.max_step_tokens,
      .recomputed_tokens = info.max_recomputed_tokens,
      .act_pays = config.act_pays(),
      .one_memory = std::isinf(info.profile.link_bytes_per_second)};
  costs.profile =
      HasFits(info.profile.work)
          ? info.profile.work
          : FromRates(info.profile, config, costs.shape.head_slices);
  return costs;
}

bool CostModel::is_free() const {
  for (const WorkKind kind : kAllWorkKinds) {
    const LinearCost& cost = profile.cost(kind);
    if (cost.fixed > absl::ZeroDuration() || cost.seconds_per_unit > 0) {
      return false;
    }
  }
  return true;
}

SequenceCosts SequenceCosts::Of(const CostModel& costs) {
  const DecodeShape& shape = costs.shape;
  const auto rate = [&costs](WorkKind kind) {
    return costs.profile.cost(kind).seconds_per_unit;
  };
  const double tokens = shape.block_tokens;
  return {.weights = rate(WorkKind::kWeights) * shape.layer_weight_bytes,
          .load_kv = rate(WorkKind::kKv) * tokens * shape.kv_bytes_per_token,
          .load_act = rate(WorkKind::kAct) * tokens * shape.act_bytes_per_token,
          .rebuild = rate(WorkKind::kRebuild) * tokens,
          .row = rate(WorkKind::kForward),
          .pair = rate(WorkKind::kAttention)};
}

// Overlapped: whatever takes longest. Zig-zag: mini-batch by mini-batch, all
// alike, with all weights in the first one's time (StepSchedule).
double StepTime::layer() const {
  if (!zig_zag || mini_batches < 1) return std::max({link, compute, copy_out});
  const auto count = static_cast<double>(mini_batches);
  const double cache = (link - weights) / count;
  return std::max({weights + cache, compute / count, copy_out}) +
         (count - 1) * std::max(cache, compute / count);
}

absl::string_view StepTime::binds() const {
  if (copy_out > std::max(link, compute)) return "write-back";
  if (std::abs(link - compute) <= 0.02 * layer()) return "balanced";
  return link > compute ? "link" : "compute";
}

int64_t NumMiniBatches(const DecodeShape& shape, double sequences,
                       double staged_half_slots) {
  if (sequences <= 0) return 0;
  if (staged_half_slots <= 0) return 1;
  const double each = staged_half_slots / sequences;
  // Rounding must not cost a mini-batch where sequences fit exactly.
  const double fit = std::floor(static_cast<double>(shape.staging_half_slots) /
                                each * (1 + 1e-9));
  return static_cast<int64_t>(std::ceil(sequences / std::max(fit, 1.0)));
}

int64_t RecomputedBlocks(const DecodeShape& shape, double recompute_ratio,
                         int64_t num_blocks) {
  return std::min(static_cast<int64_t>(std::floor(
                      static_cast<double>(num_blocks) * recompute_ratio)),
                  shape.recomputed_tokens / shape.block_tokens);
}

namespace {

// Seconds a layer, on average over all, of recomputing `rows` of equal
// sequences in mini-batches `pieces`: every layer runs them in full but the
// last, which makes K and V alone.
double RecomputeSeconds(const CostModel& costs, double sequences, double rows,
                        double pieces) {
  if (rows <= 0) return 0;
  const WorkProfile& profile = costs.profile;
  const double chunks = std::max(
      pieces,
      rows / static_cast<double>(std::max<int64_t>(costs.shape.step_rows, 1)));
  const double pairs = rows * (rows / sequences + 1) / 2;
  const double last = Cost(profile, WorkKind::kRebuild, chunks, rows);
  const double other = Cost(profile, WorkKind::kForward, chunks, rows) +
                       Cost(profile, WorkKind::kAttention, chunks, pairs);
  const auto layers = static_cast<double>(costs.shape.num_layers);
  return ((layers - 1) * other + last) / layers;
}

}  // namespace

StepTime PredictStep(const CostModel& costs, const StepLoad& load,
                     const BlockCounts& blocks) {
  const DecodeShape& shape = costs.shape;
  const WorkProfile& profile = costs.profile;
  StepTime time = {.num_layers = shape.num_layers,
                   .mini_batches = NumMiniBatches(shape, load.sequences,
                                                  blocks.staged_half_slots())};
  const auto pieces = static_cast<double>(time.mini_batches);
  const double block_tokens = shape.block_tokens;
  const LayerBytes bytes = BytesOfLayer(shape, load, blocks);
  time.weights =
      Cost(profile, WorkKind::kWeights, pieces, shape.layer_weight_bytes);
  time.link = time.weights + Cost(profile, WorkKind::kKv, pieces, bytes.kv) +
              Cost(profile, WorkKind::kAct, pieces, bytes.act);

  // A row attends to its sequence's context, to itself and, within a chunk, to
  // half of the others on average.
  const double chunk = load.sequences > 0 ? load.new_rows / load.sequences : 0;
  const double pairs =
      chunk * load.context_tokens + load.new_rows * (chunk + 1) / 2;
  time.compute =
      Cost(profile, WorkKind::kRebuild, pieces, blocks.act() * block_tokens) +
      Cost(profile, WorkKind::kForward, pieces, load.new_rows) +
      Cost(profile, WorkKind::kAttention, pieces, pairs);
  const double recomputed = blocks.tokens * block_tokens;
  time.compute += RecomputeSeconds(costs, load.sequences, recomputed, pieces);

  time.copy_out = Cost(profile, WorkKind::kWriteBack, 1, bytes.write_back);
  const auto slices = static_cast<double>(shape.head_slices);
  time.head_link =
      Cost(profile, WorkKind::kWeights, slices, shape.head_weight_bytes) +
      Cost(profile, WorkKind::kInputs, 1,
           (load.new_rows + recomputed) * shape.input_bytes_per_row);
  time.head_compute =
      Cost(profile, WorkKind::kHead, slices, slices * load.sequences);
  return time;
}

StepBytes PredictStepBytes(const DecodeShape& shape, const StepLoad& load,
                           const BlockCounts& blocks) {
  const LayerBytes layer = BytesOfLayer(shape, load, blocks);
  const auto layers = static_cast<double>(shape.num_layers);
  return {
      .weights = layers * shape.layer_weight_bytes + shape.head_weight_bytes,
      .kv = layers * layer.kv,
      .act = layers * layer.act,
      .write_back = layers * layer.write_back};
}

}  // namespace hybridserve
