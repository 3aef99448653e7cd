#ifndef HYBRIDSERVE_CLIENT_BENCH_STEP_FIGURES_H_
#define HYBRIDSERVE_CLIENT_BENCH_STEP_FIGURES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/bench/ideal_time.h"
#include "hybridserve/v1/load.pb.h"

namespace hybridserve {

// What the steps between two samples of a worker were like, on average.
struct StepFigures {
  int64_t steps = 0;
  // Shares of the steps' wall time, in [0, 1].
  double link_busy = 0;
  double compute_busy = 0;
  // Of a step.
  double measured_seconds = 0;
  std::optional<double> ideal_seconds;       // Unset: no costs known.
  std::optional<double> predicted_seconds;   // Unset: none predicted.
  std::optional<double> overlap_efficiency;  // Ideal over measured.
  // Over the link, a step.
  double weight_bytes = 0;
  double kv_bytes = 0;
  double act_bytes = 0;
  double write_back_bytes = 0;
  // ACT blocks among those in use at the second sample, in [0, 1].
  double act_share = 0;
  std::string mix_reason;         // In the policy's words.
  std::vector<KindSeconds> work;  // A step.
  // Up to the two samples.
  v1::WorkerTotals begin;
  v1::WorkerTotals end;
};

// Pure. Unset if no step ended between the samples, or they are of two
// connections of the worker.
std::optional<StepFigures> FiguresBetween(const v1::Worker& before,
                                          const v1::Worker& after);

// Sets the ideal and the efficiency of `figures`, and what its work takes
// alone, to what follows from `costs`, or to unset (IdealSeconds()).
void SetIdeal(const v1::WorkerProfile& costs, StepFigures& figures);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_STEP_FIGURES_H_
