#include "scheduler/policy/cache_mix.h"

#include <algorithm>

#include "common/dtype.h"

namespace hybridserve {

CostInputs CostInputs::Of(const WorkerInfo& info, const ModelConfig& config) {
  const double element = static_cast<double>(SizeOf(info.numerics.dtype));
  const double hidden = static_cast<double>(config.hidden);
  const double kv_width = static_cast<double>(config.kv_width());
  const double layers =
      static_cast<double>(std::max<int64_t>(config.num_layers, 1));
  return {
      .link_bytes_per_second = info.profile.link_bytes_per_second,
      .flops_per_second = info.profile.gemm_flops_per_second,
      .weight_bytes = static_cast<double>(info.streamed_layer_bytes) +
                      static_cast<double>(info.streamed_head_bytes) / layers,
      .kv_bytes_per_token = 2 * kv_width * element,
      .act_bytes_per_token = hidden * element,
      .forward_flops_per_token =
          2 * static_cast<double>(config.LayerParameters()),
      .rebuild_flops_per_token = 4 * hidden * kv_width,
      .act_pays = config.act_pays(),
  };
}

}  // namespace hybridserve
