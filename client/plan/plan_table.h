#ifndef HYBRIDSERVE_CLIENT_PLAN_PLAN_TABLE_H_
#define HYBRIDSERVE_CLIENT_PLAN_PLAN_TABLE_H_

#include <string>
#include <vector>

#include "client/bench/machine_info.h"
#include "client/plan/policy_forecast.h"

namespace hybridserve {

// The forecasts for people: speeds, a layer's times, bytes and cache as tables,
// then each policy's reason and the fastest.
std::string PlanToTable(const MachineInfo& machine,
                        const std::vector<PolicyForecast>& forecasts);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_PLAN_PLAN_TABLE_H_
