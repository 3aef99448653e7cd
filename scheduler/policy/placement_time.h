#ifndef HYBRIDSERVE_SCHEDULER_POLICY_PLACEMENT_TIME_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_PLACEMENT_TIME_H_

#include <cstdint>
#include <limits>

#include "scheduler/policy/cache_mix.h"
#include "scheduler/policy/decode_prediction.h"
#include "scheduler/policy/step_cost.h"

namespace hybridserve {

// Which kinds have blocks on the host: the first one of a kind costs a piece a
// mini-batch.
enum class HostKinds { kBoth, kActOnly, kKvOnly, kNone };

// How long a layer's decode takes as a function of A, the number of ACT blocks,
// and kd, the KV blocks on the device, for a number of equal sequences:
//   T = max(link, compute, copy-out),
// each linear in the blocks but for first blocks' costs. With K = n - A KV
// blocks, compute depends on A alone, and a device block only ever saves, so
// the device is filled: ad = min(A, D - 2 kd) ACT blocks lie there.
//
// A and kd are whole numbers, or real ones where that is said. Seconds of one
// layer throughout, with its share of what a step does outside the layers.
// Thread-compatible.
class PlacementTime {
 public:
  // `costs` is borrowed.
  PlacementTime(const CostModel& costs, const Capacities& capacities,
                const Workload& workload, int64_t sequences);

  // The number of mini-batches. Their bound on what is staged, 2 kh + 3 A, is
  // apart: NoStagedBound() until BoundStaged().
  void SetMiniBatches(int64_t count);
  void NoStagedBound() { staged_ = std::numeric_limits<double>::infinity(); }
  void BoundStaged(int64_t mini_batches);

  double blocks() const { return blocks_; }  // n
  double device() const { return device_; }  // D, half-slots.
  double host() const { return host_; }      // H, half-slots.
  double staged() const { return staged_; }  // The bound, half-slots.
  double layers() const { return layers_; }

  BlockCounts Blocks(double act, double kv_device) const;
  // Mini-batches that equal sequences make of so much, staged where reserved.
  int64_t MiniBatchesFor(double staged_half_slots) const;
  // The next number of mini-batches that equal sequences can make.
  int64_t NextMiniBatches(int64_t count) const;
  // More mini-batches cost nothing.
  bool MiniBatchesAreFree() const;

  // The bounds of kd for given A, either real.
  double LeastKvDevice(double act) const;
  double MostKvDevice(double act) const;
  // The kd up to which the device still holds all ACT, within bounds a <= b.
  double Turn(double act, double a, double b) const;
  // Where link (with `extra`) meets copy-out between kd = a and b, both linear
  // there; a if nowhere.
  double Meeting(double act, double a, double b, double extra) const;
  // First blocks' link costs with these kinds on the host.
  double FirstLink(HostKinds host) const;

  // The least time for A with these kinds on the host, kd real. Convex in A.
  double RealTime(double act, HostKinds host) const;
  // The true time of a whole placement; infinite if it doesn't fit.
  double WholeTime(double act, double kv_device) const;

 private:
  double Link(double act, double kv_device) const;
  double CopyOut(double act, double kv_device) const;

  const CostModel& costs_;
  const double sequences_;
  const CacheUse use_;
  const StepTime idle_;  // Whatever the blocks, in one mini-batch.
  const double layers_;
  const double blocks_;
  const double device_;
  const double host_;
  double staged_ = std::numeric_limits<double>::infinity();
  double link_ = 0;           // Whatever the blocks.
  double link_kv_ = 0;        // A host KV block.
  double link_act_ = 0;       // A host ACT block.
  double first_kv_ = 0;       // Any host KV block.
  double first_act_ = 0;      // Any host ACT block.
  double compute_ = 0;        // Whatever the blocks.
  double rebuild_ = 0;        // An ACT block.
  double first_rebuild_ = 0;  // Any ACT block.
  double copy_out_kv_ = 0;    // A host KV block.
  double copy_out_act_ = 0;   // A host ACT block.
  double first_copy_out_ = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_PLACEMENT_TIME_H_
