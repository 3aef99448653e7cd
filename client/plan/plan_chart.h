#ifndef HYBRIDSERVE_CLIENT_PLAN_PLAN_CHART_H_
#define HYBRIDSERVE_CLIENT_PLAN_PLAN_CHART_H_

#include <vector>

#include "client/bench/machine_info.h"
#include "client/chart/figure.h"
#include "client/plan/policy_forecast.h"

namespace hybridserve {

// Decode throughput by policy: predicted, and beside it simulated where that
// was done. `forecasts` is not empty.
Figure PlanFigure(const MachineInfo& machine,
                  const std::vector<PolicyForecast>& forecasts);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_PLAN_PLAN_CHART_H_
