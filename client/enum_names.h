#ifndef HYBRIDSERVE_CLIENT_ENUM_NAMES_H_
#define HYBRIDSERVE_CLIENT_ENUM_NAMES_H_

#include <string>

#include "hybridserve/v1/load.pb.h"

// Values of the API's enums as tables and JSON name them.
namespace hybridserve {

// "device", "host".
std::string TierName(v1::Tier tier);

// "weights", "write_back".
std::string WorkKindName(v1::WorkKind kind);

// "loading", "warming_up", "ready", "draining".
std::string WorkerStateName(v1::WorkerState state);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_ENUM_NAMES_H_
