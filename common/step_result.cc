#include "common/step_result.h"

namespace hybridserve {

StepStats& StepStats::operator+=(const StepStats& other) {
  wall += other.wall;
  link_busy += other.link_busy;
  copy_out_busy += other.copy_out_busy;
  compute_busy += other.compute_busy;
  weight_bytes += other.weight_bytes;
  kv_bytes += other.kv_bytes;
  act_bytes += other.act_bytes;
  other_in_bytes += other.other_in_bytes;
  write_back_bytes += other.write_back_bytes;
  rebuilt_tokens += other.rebuilt_tokens;
  mini_batches += other.mini_batches;
  for (const WorkKind kind : kAllWorkKinds) work[kind] += other.work[kind];
  return *this;
}

}  // namespace hybridserve
