#ifndef HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_PERCENTS_H_
#define HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_PERCENTS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// FlexGen's six percents (PAPER.md 2.1): where weights, cache and activations
// lie. The rest of each pair would be on disk, a tier that there is not: it is
// 0 here.
struct FlexGenPercents {
  double weight_gpu = 0;
  double weight_cpu = 100;
  double cache_gpu = 0;
  double cache_cpu = 100;
  // Either 0 or 100, as FlexGen has it.
  double act_gpu = 100;
  double act_cpu = 0;

  // As --percent takes them: "20,80,0,100,0,100".
  std::string ToString() const;

  friend bool operator==(const FlexGenPercents&,
                         const FlexGenPercents&) = default;
};

// Six numbers apart by commas or spaces. InvalidArgument, naming --percent, for
// anything else, for a pair that leaves a share to the disk or exceeds 100, or
// for activations on both tiers.
absl::StatusOr<FlexGenPercents> ParseFlexGenPercents(absl::string_view text);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_POLICY_FLEXGEN_PERCENTS_H_
