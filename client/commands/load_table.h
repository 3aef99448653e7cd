#ifndef HYBRIDSERVE_CLIENT_COMMANDS_LOAD_TABLE_H_
#define HYBRIDSERVE_CLIENT_COMMANDS_LOAD_TABLE_H_

#include <string>

#include "hybridserve/v1/load.pb.h"

namespace hybridserve {

// `hybridserve status` for people: the queue, then for each worker a short
// table of what its steps did: tokens per second, bytes over the link by kind,
// busy shares of link and compute, and how the cache is kept.
std::string LoadToTable(const v1::Load& load, bool show_profile);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_COMMANDS_LOAD_TABLE_H_
