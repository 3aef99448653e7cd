#ifndef HYBRIDSERVE_WORKER_OFFLOAD_UNIT_RUNNER_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_UNIT_RUNNER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/model_config.h"
#include "common/work.h"
#include "kernels/device/device.h"
#include "worker/model/decoder.h"
#include "worker/offload/cache_stager.h"
#include "worker/offload/step_layout.h"
#include "worker/offload/weight_streamer.h"
#include "worker/offload/workspace.h"
#include "worker/offload/write_back.h"

namespace hybridserve {

// A layer of one mini-batch of a step.
struct StepUnit {
  int64_t layer = 0;
  int64_t mini_batch = 0;
};

// What is computed of a unit, on the layer's weights and the blocks that the
// stager has for it: call Rebuild(), Recompute(), Run(), in this order and unit
// by unit. `layout` is the step's. Thread-compatible.
class UnitRunner {
 public:
  // All are borrowed and outlive it.
  UnitRunner(const ModelConfig& config, int64_t num_layers,
             int64_t block_tokens, const Workspace& workspace,
             WeightStreamer& weights, CacheStager& stager,
             WriteBack& write_back, Decoder& decoder, Stream& compute)
      : config_(config),
        num_layers_(num_layers),
        block_tokens_(block_tokens),
        workspace_(workspace),
        weights_(weights),
        stager_(stager),
        write_back_(write_back),
        decoder_(decoder),
        compute_(compute) {}

  // K and V of the ACT blocks: what can be done before the new rows are there.
  // Those that become KV are kept.
  absl::Status Rebuild(const StepLayout& layout, StepUnit unit);

  // Runs the recomputed rows through the layer. They go before the new ones,
  // whose attention reads their K and V where a loaded block's would be; they
  // are written nowhere else. In the last layer nothing but K and V is wanted
  // of them.
  absl::Status Recompute(const StepLayout& layout, StepUnit unit);

  // Runs the new rows through the layer; `rows` takes what the cache is to have
  // of the whole step's.
  absl::Status Run(const StepLayout& layout, StepUnit unit,
                   const NewRows& rows);

 private:
  void Begin(WorkKind kind, double units, StepUnit unit, bool resumes = false);
  // Of a row of attention's output, and of what takes its place.
  int64_t mixed_width() const;
  int64_t wide_width() const;

  const ModelConfig& config_;
  const int64_t num_layers_;
  const int64_t block_tokens_;
  const Workspace& workspace_;
  WeightStreamer& weights_;
  CacheStager& stager_;
  WriteBack& write_back_;
  Decoder& decoder_;
  Stream& compute_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_UNIT_RUNNER_H_
