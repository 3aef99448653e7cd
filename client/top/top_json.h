#ifndef HYBRIDSERVE_CLIENT_TOP_TOP_JSON_H_
#define HYBRIDSERVE_CLIENT_TOP_TOP_JSON_H_

#include "client/top/top_view.h"
#include "nlohmann/json.hpp"

namespace hybridserve {

// One frame as data: `hybridserve top --output=json`. Units are in the names;
// busy shares are 0 to 1; what is unknown is null.
nlohmann::ordered_json TopToJson(const TopView& view);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_TOP_TOP_JSON_H_
