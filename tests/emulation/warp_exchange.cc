#include "tests/emulation/warp_exchange.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace hybridserve::emulation {
namespace {

bool Takes(uint32_t mask, int lane) { return (mask >> lane & 1) != 0; }

bool SameOp(const WarpArrival& a, const WarpArrival& b) {
  return a.op == b.op && a.mask == b.mask && a.line == b.line &&
         (a.file == b.file || absl::string_view(a.file) == b.file);
}

// Everyone whom `arrival` names is there for the same op.
bool Complete(const WarpArrivals& arrivals, const WarpArrival& arrival) {
  for (int lane = 0; lane < kWarpSize; ++lane) {
    if (!Takes(arrival.mask, lane)) continue;
    if (arrivals[lane] == nullptr || !SameOp(*arrivals[lane], arrival)) {
      return false;
    }
  }
  return true;
}

uint64_t Ballot(const WarpArrivals& arrivals, uint32_t mask) {
  uint64_t votes = 0;
  for (int lane = 0; lane < kWarpSize; ++lane) {
    if (Takes(mask, lane) && arrivals[lane]->value != 0) {
      votes |= uint64_t{1} << lane;
    }
  }
  return votes;
}

}  // namespace

WarpRelease Exchange(const WarpArrivals& arrivals) {
  WarpRelease release;
  for (int first = 0; first < kWarpSize; ++first) {
    if (arrivals[first] == nullptr) continue;
    const WarpArrival& arrival = *arrivals[first];
    if (!Takes(arrival.mask, first)) {
      release.lanes = uint32_t{1} << first;
      release.fault = absl::StrCat("lane ", first, " is not in its own mask ",
                                   absl::Hex(arrival.mask));
      return release;
    }
    if (!Complete(arrivals, arrival)) continue;
    release.lanes = arrival.mask;
    for (int lane = 0; lane < kWarpSize; ++lane) {
      if (!Takes(arrival.mask, lane)) continue;
      if (arrival.op == WarpOp::kBallot) {
        release.results[lane] = Ballot(arrivals, arrival.mask);
      } else if (arrival.op == WarpOp::kShuffle) {
        const int source = arrivals[lane]->source;
        if (!Takes(arrival.mask, source)) {
          release.fault =
              absl::StrCat("lane ", lane, " reads lane ", source,
                           ", which is not in mask ", absl::Hex(arrival.mask));
          continue;
        }
        release.results[lane] = arrivals[source]->value;
      }
    }
    return release;
  }
  return release;
}

}  // namespace hybridserve::emulation
