#ifndef HYBRIDSERVE_CLIENT_CHART_AXIS_H_
#define HYBRIDSERVE_CLIENT_CHART_AXIS_H_

#include <string>
#include <vector>

namespace hybridserve {

// An axis from 0 that reads well: ticks at 1, 2 or 5 times a power of ten.
struct Axis {
  double max = 1;             // The last tick.
  std::vector<double> ticks;  // From 0 on, evenly.
};

// Holds [0, `largest`] with about `steps` ticks; [0, 1] unless `largest` is
// positive and finite. `steps` >= 1.
Axis MakeAxis(double largest, int steps);

// A number for people, with about three digits: "0.25", "12.4", "3,470".
std::string FormatNumber(double value);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_CHART_AXIS_H_
