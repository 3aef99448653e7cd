#ifndef HYBRIDSERVE_CLIENT_PLAN_PLAN_JSON_H_
#define HYBRIDSERVE_CLIENT_PLAN_PLAN_JSON_H_

#include <vector>

#include "client/bench/machine_info.h"
#include "client/plan/policy_forecast.h"
#include "nlohmann/json.hpp"

namespace hybridserve {

// {"machine":{..},"fastest":LABEL,"results":[{..}]}: one result a forecast, in
// their order, "simulated" null where nothing was simulated (docs/planning.md).
nlohmann::ordered_json PlanToJson(const MachineInfo& machine,
                                  const std::vector<PolicyForecast>& forecasts);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_PLAN_PLAN_JSON_H_
