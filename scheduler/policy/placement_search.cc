#include "scheduler/policy/placement_search.h"

#include <algorithm>
#include <cmath>

// For given A, the time (placement_time.h) is convex and piecewise linear in
// kd: its least value lies on an end, on the break or where link meets
// copy-out. Minimising that out leaves a function convex in A, searched by its
// slope.
//
// The first blocks' costs make four cases, each convex: no KV on the host, no
// ACT on the host, neither, and all else; no ACT at all is looked at apart. For
// given A and case the search takes kd as real; whole numbers near its result
// are then compared as they are. The mini-batches bound what is staged, so
// their number is raised from the fewest until that bound no longer binds.

namespace hybridserve {

bool PlacementSearch::Run(ActShares shares, double bound) {
  const double n = time_.blocks();
  least_act_ = std::round(shares.least * n);
  most_act_ = std::round(shares.most * n);
  best_ = {.seconds = bound / time_.layers()};
  bool found = false;
  const auto take = [&](const Candidate& candidate) {
    best_ = candidate;
    found = true;
    return true;
  };
  const double least_staged =
      std::max({0.0, 2 * n - time_.device() + least_act_, 3 * least_act_});
  for (int64_t count = time_.MiniBatchesFor(least_staged);;
       count = time_.NextMiniBatches(count)) {
    time_.SetMiniBatches(count);
    time_.NoStagedBound();
    const Candidate free = Solve();
    if (free.seconds >= best_.seconds) return found;
    const int64_t needed = time_.MiniBatchesFor(
        time_.Blocks(free.act, free.kv_device).staged_half_slots());
    if (needed <= count) return take(free);
    time_.BoundStaged(count);
    const Candidate bounded = Solve();
    if (bounded.seconds < best_.seconds) take(bounded);
    if (time_.MiniBatchesAreFree()) return take(free);
  }
}

PlacementSearch::Candidate PlacementSearch::Solve() const {
  const double n = time_.blocks();
  const double d = time_.device();
  const double fits = 2 * n - d - time_.host();  // A at least.
  const double staged = time_.staged() / 3;      // A at most.
  const double staged_kv = time_.staged() + d - 2 * n;
  const struct {
    HostKinds host;
    double least;
    double most;
  } cases[] = {
      {HostKinds::kBoth, 0, staged_kv},
      {HostKinds::kActOnly, n - d / 2, n},
      {HostKinds::kKvOnly, 0, std::min(d, staged_kv / 2)},
      {HostKinds::kNone, 2 * n - d, d},
  };
  Candidate best;
  TryWhole(0, best);
  for (const auto& part : cases) {
    const double least =
        std::ceil(std::max({least_act_, fits, part.least}) - 1e-9);
    const double most =
        std::floor(std::min({most_act_, staged, part.most}) + 1e-9);
    if (least > most) continue;
    const double near = SearchAct(least, most, part.host);
    for (double act = near - 3; act <= near + 3; ++act) TryWhole(act, best);
    TryWhole(least, best);
    TryWhole(most, best);
  }
  return best;
}

double PlacementSearch::SearchAct(double least, double most,
                                  HostKinds host) const {
  while (least < most) {
    const double middle = std::floor((least + most) / 2);
    if (time_.RealTime(middle, host) <= time_.RealTime(middle + 1, host)) {
      most = middle;
    } else {
      least = middle + 1;
    }
  }
  return least;
}

void PlacementSearch::TryWhole(double act, Candidate& best) const {
  if (act < least_act_ || act > most_act_) return;
  const double least = std::ceil(time_.LeastKvDevice(act));
  const double most = std::floor(time_.MostKvDevice(act));
  if (least > most) return;
  const double turn = time_.Turn(act, least, most);
  const auto consider = [&](double kv_device) {
    const double seconds = time_.WholeTime(act, kv_device);
    const bool better = seconds < best.seconds * (1 - 1e-12) ||
                        (seconds <= best.seconds && act < best.act);
    if (better) best = {act, kv_device, seconds};
  };
  consider(most);
  consider(least);
  for (const double extra : {0.0, time_.FirstLink(HostKinds::kBoth)}) {
    for (const double real : {turn, time_.Meeting(act, least, turn, extra),
                              time_.Meeting(act, turn, most, extra)}) {
      consider(std::floor(real));
      consider(std::ceil(real));
    }
  }
}

}  // namespace hybridserve
