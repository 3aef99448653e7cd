#ifndef HYBRIDSERVE_WORKER_RESIDENT_SHARE_H_
#define HYBRIDSERVE_WORKER_RESIDENT_SHARE_H_

#include <vector>

#include "worker/model/weight_plan.h"

namespace hybridserve {

// Which parts of a layer are resident where `percent` of it, in [0, 100], are
// to be: its vectors, then each of its pieces. The vectors, or a matrix with
// all its pieces, are if their middle lies in the last so many percent of the
// layer's bytes (PAPER.md 2.1). Pure.
std::vector<bool> ResidentLayerParts(const LayerPlan& layer, double percent);

// The same for the LM head, which is resident as a whole or not at all.
bool HeadIsResident(double percent);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_RESIDENT_SHARE_H_
