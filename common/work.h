#ifndef HYBRIDSERVE_COMMON_WORK_H_
#define HYBRIDSERVE_COMMON_WORK_H_

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hybridserve {

// The pieces that a step is made of, each on one stream. What a unit of each
// is: bytes that cross the link for copies; rows for rebuild (of ACT), forward
// (of new positions) and head (of logits, a slice); for attention the pairs of
// a new position and a position that it attends to.
enum class WorkKind : uint8_t {
  kWeights,    // Copy-in: a share of a layer or of the LM head.
  kKv,         // Copy-in: cached K and V of a mini-batch.
  kAct,        // Copy-in: cached ACT rows of a mini-batch.
  kInputs,     // Copy-in: embedding rows.
  kRebuild,    // Compute: K and V from ACT rows.
  kForward,    // Compute: the new rows' GEMMs and norms, a layer.
  kAttention,  // Compute.
  kHead,       // Compute: the LM head's slices, sampling.
  kWriteBack,  // Copy-out: new rows to their blocks.
  kResults,    // Copy-out: tokens and log-probs.
  kOther,
};
inline constexpr int kNumWorkKinds = 11;

// In words: "weights", "write-back".
absl::string_view Name(WorkKind kind);

// One value for each kind.
template <typename T>
class PerWorkKind {
 public:
  T& operator[](WorkKind kind) { return values_[static_cast<int>(kind)]; }
  const T& operator[](WorkKind kind) const {
    return values_[static_cast<int>(kind)];
  }

 private:
  std::array<T, kNumWorkKinds> values_ = {};
};

// What a piece of work is. Numbers: -1 for none.
struct WorkTag {
  WorkKind kind = WorkKind::kOther;
  double units = 0;
  int64_t layer = -1;
  int64_t mini_batch = -1;
  // Goes on with the last piece of its kind: only its time counts.
  bool resumes = false;
};

// Pieces done, and how long they took in all.
struct WorkTotals {
  int64_t count = 0;
  double units = 0;
  absl::Duration busy;

  WorkTotals& operator+=(const WorkTotals& other);
  WorkTotals& operator-=(const WorkTotals& other);
};

// All kinds, in order: for (WorkKind kind : kAllWorkKinds).
inline constexpr std::array<WorkKind, kNumWorkKinds> kAllWorkKinds = {
    WorkKind::kWeights,   WorkKind::kKv,      WorkKind::kAct,
    WorkKind::kInputs,    WorkKind::kRebuild, WorkKind::kForward,
    WorkKind::kAttention, WorkKind::kHead,    WorkKind::kWriteBack,
    WorkKind::kResults,   WorkKind::kOther};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_WORK_H_
