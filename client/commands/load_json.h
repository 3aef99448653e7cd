#ifndef HYBRIDSERVE_CLIENT_COMMANDS_LOAD_JSON_H_
#define HYBRIDSERVE_CLIENT_COMMANDS_LOAD_JSON_H_

#include "hybridserve/v1/load.pb.h"
#include "nlohmann/json.hpp"

namespace hybridserve {

// The JSON of `hybridserve status --output=json`: DESIGN.md 10, and each
// worker's totals. Rates that are not finite are null. With `show_profile`,
// also the rates that workers measured at start.
nlohmann::ordered_json LoadToJson(const v1::Load& load, bool show_profile);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_COMMANDS_LOAD_JSON_H_
