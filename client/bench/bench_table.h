#ifndef HYBRIDSERVE_CLIENT_BENCH_BENCH_TABLE_H_
#define HYBRIDSERVE_CLIENT_BENCH_BENCH_TABLE_H_

#include <string>
#include <vector>

#include "client/bench/bench_summary.h"
#include "client/bench/machine_info.h"

namespace hybridserve {

// For people: where it was measured, then two tables with a row a policy (and
// prompt length): throughput with its ratio to kv, and the average decode step.
// "-": unknown.
std::string BenchToTable(const MachineInfo& machine,
                         const std::vector<BenchSummary>& summaries);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_BENCH_TABLE_H_
