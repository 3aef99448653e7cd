#ifndef HYBRIDSERVE_CLIENT_BENCH_BENCH_CHARTS_H_
#define HYBRIDSERVE_CLIENT_BENCH_BENCH_CHARTS_H_

#include <vector>

#include "client/bench/bench_runner.h"
#include "client/bench/bench_summary.h"
#include "client/bench/machine_info.h"
#include "client/chart/figure.h"

namespace hybridserve {

// A policy's colour, the same in every chart.
int ColourOf(const BenchPolicy& policy);

// The figure that tells the results best: throughput over prompt length with a
// line a policy where there are several lengths; over the ACT share where
// several were fixed; otherwise bars by policy, decoding beside the whole with
// the ideal bound marked. `summaries` is not empty.
Figure BenchFigure(const MachineInfo& machine,
                   const std::vector<BenchSummary>& summaries);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_BENCH_CHARTS_H_
