#ifndef HYBRIDSERVE_TESTS_EMULATION_WARP_EXCHANGE_H_
#define HYBRIDSERVE_TESTS_EMULATION_WARP_EXCHANGE_H_

#include <array>
#include <cstdint>
#include <string>

namespace hybridserve::emulation {

constexpr int kWarpSize = 32;

// What lanes of a warp do together. Distinct: a lane in a vote and another in a
// shuffle do not meet.
enum class WarpOp {
  kSync,     // __syncwarp
  kShuffle,  // __shfl_*_sync: the value of lane `source`.
  kBallot,   // __ballot_sync, __any_sync, __all_sync: a bit a lane.
};

// One lane's arrival at such an op.
struct WarpArrival {
  WarpOp op = WarpOp::kSync;
  uint32_t mask = 0;   // Who takes part, as this lane believes.
  uint64_t value = 0;  // Given to the others; of a ballot, 0 or 1.
  int source = 0;      // kShuffle: whose value this lane wants.
  const char* file = "";
  int line = 0;
};

// The lanes of one warp: an arrival where a lane waits at an op, else null.
using WarpArrivals = std::array<const WarpArrival*, kWarpSize>;

// What an op gave, lane by lane.
struct WarpRelease {
  uint32_t lanes = 0;  // Who goes on; 0: nobody can.
  std::array<uint64_t, kWarpSize> results = {};
  std::string fault;  // Not empty: what was wrong about it.
};

// Finds lanes that can go on: all that the mask of each of them names have
// arrived at the same op, at the same place in the source, with the same mask.
// A shuffle from a lane that does not take part is a fault (the value is
// undefined on hardware); so is a mask without its own lane.
WarpRelease Exchange(const WarpArrivals& arrivals);

}  // namespace hybridserve::emulation

#endif  // HYBRIDSERVE_TESTS_EMULATION_WARP_EXCHANGE_H_
