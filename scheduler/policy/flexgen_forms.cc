#include "scheduler/policy/flexgen_forms.h"

#include <cmath>

#include "scheduler/policy/flexgen_job.h"

namespace hybridserve {

FlexGenForms ChooseFlexGenForms(const CostModel& costs,
                                const Workload& workload,
                                const FlexGenMachine& machine) {
  FlexGenForms forms;
  FlexGenJob job = FlexGenJobOf(costs, workload);
  job.num_heads = machine.num_heads;
  job.open_layer_bytes = static_cast<double>(machine.layer_bytes);
  FlexGenHardware hardware = FlexGenHardwareOf(costs, job);
  hardware.device_bytes = static_cast<double>(machine.device_bytes);
  hardware.host_bytes = static_cast<double>(machine.host_bytes);
  forms.device_attention = SearchFlexGen(
      job, hardware, FlexGenAttention::kDevice, workload.sequences);
  if (machine.host_attends) {
    hardware.host_attention = hardware.decode_attention;
    forms.host_attention = SearchFlexGen(job, hardware, FlexGenAttention::kHost,
                                         workload.sequences);
  }
  return forms;
}

FlexGenPercents PercentsOf(const FlexGenPlacement& placement) {
  const auto percent = [](double share) { return std::round(100 * share); };
  const double hidden = placement.hidden >= 0.5 ? 100 : 0;
  return {.weight_gpu = percent(placement.weights),
          .weight_cpu = 100 - percent(placement.weights),
          .cache_gpu = percent(placement.cache),
          .cache_cpu = 100 - percent(placement.cache),
          .act_gpu = hidden,
          .act_cpu = 100 - hidden};
}

}  // namespace hybridserve
