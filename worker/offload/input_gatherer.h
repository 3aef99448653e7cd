#ifndef HYBRIDSERVE_WORKER_OFFLOAD_INPUT_GATHERER_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_INPUT_GATHERER_H_

#include <cstdint>

#include "absl/types/span.h"
#include "common/model_config.h"
#include "worker/model/host_weights.h"
#include "worker/model/weight_plan.h"
#include "worker/offload/workspace.h"

namespace hybridserve {

// An input row by ids.
struct GatherRow {
  int32_t token = 0;
  int32_t position = 0;
};

// Gathers embedding rows on the host: the tables never cross the link.
// Thread-safe.
class InputGatherer {
 public:
  // All are borrowed and outlive it.
  InputGatherer(const ModelConfig& config, const WeightPlan& plan,
                const HostWeights& weights)
      : config_(config), plan_(plan), weights_(weights) {}

  // hidden[i] = token row + position row in float32, [rows, hidden]; where the
  // model projects, hidden[i] = position row and token_rows[i] = token row,
  // [rows, word_embed_dim] of the compute dtype. Ids are in their tables.
  void Gather(absl::Span<const GatherRow> rows, absl::Span<float> hidden,
              absl::Span<char> token_rows) const;

 private:
  // Row `row` of a table: adds it to (or, unless `add`, writes it over) `out`.
  void AddRow(const TablePlan& table, const Buffer& buffer, int64_t row,
              bool add, float* out) const;

  const ModelConfig& config_;
  const WeightPlan& plan_;
  const HostWeights& weights_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_INPUT_GATHERER_H_
