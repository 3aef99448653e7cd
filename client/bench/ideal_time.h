#ifndef HYBRIDSERVE_CLIENT_BENCH_IDEAL_TIME_H_
#define HYBRIDSERVE_CLIENT_BENCH_IDEAL_TIME_H_

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "hybridserve/v1/load.pb.h"

namespace hybridserve {

// Seconds that each of a worker's streams needs for some work, by itself.
struct StreamSeconds {
  double copy_in = 0;
  double compute = 0;
  double copy_out = 0;

  // With all three at once and nobody waiting: no engine is faster.
  double Longest() const { return std::max({copy_in, compute, copy_out}); }
};

// The work of one kind that was done between two samples of a worker's totals.
struct KindSeconds {
  v1::WorkKind kind = v1::WORK_KIND_UNSPECIFIED;
  double pieces = 0;
  double units = 0;
  double in_steps = 0;  // What it took there, by its own events.
  // What it takes if each piece takes as long as it did alone
  // (`profile.costs`, PAPER.md 4.4): fixed x pieces + per unit x units. Unset
  // where the worker told no cost.
  std::optional<double> alone;

  void ScaleBy(double factor);
};

// In the order in which the worker told them; only kinds that there was work
// of.
std::vector<KindSeconds> SecondsByKind(const v1::WorkerProfile& profile,
                                       const v1::WorkerTotals& before,
                                       const v1::WorkerTotals& after);

// What is alone, summed up stream by stream.
//
// Unset where the worker told no cost of a kind that there was work of. Free
// without one: inputs, results and other work, which are small.
std::optional<StreamSeconds> IdealSeconds(absl::Span<const KindSeconds> kinds);

// The costs of several measurements of a machine whose speed drifts: each
// kind's mean. Empty unless all of them know the same kinds.
v1::WorkerProfile MeanCosts(absl::Span<const v1::WorkerProfile> profiles);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_IDEAL_TIME_H_
