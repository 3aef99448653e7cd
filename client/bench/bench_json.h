#ifndef HYBRIDSERVE_CLIENT_BENCH_BENCH_JSON_H_
#define HYBRIDSERVE_CLIENT_BENCH_BENCH_JSON_H_

#include <vector>

#include "client/bench/bench_summary.h"
#include "client/bench/machine_info.h"
#include "nlohmann/json.hpp"

namespace hybridserve {

// Where and how: "machine" of what bench and plan print.
nlohmann::ordered_json MachineToJson(const MachineInfo& machine);

// {"machine":{..},"results":[{..}]} of DESIGN.md 10: medians, and their spreads
// under "spread". What is unknown is null.
nlohmann::ordered_json BenchToJson(const MachineInfo& machine,
                                   const std::vector<BenchSummary>& summaries);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_BENCH_JSON_H_
