#include "scheduler/policy/policy.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "scheduler/policy/fixed_policy.h"
#include "scheduler/policy/hybrid_policy.h"

namespace hybridserve {

StepRoster Policy::Plan(const StepSnapshot& snapshot,
                        const CacheMix& mix) const {
  static_cast<void>(mix);
  return FormRoster(snapshot);
}

absl::StatusOr<std::unique_ptr<Policy>> ParsePolicy(
    absl::string_view name, std::optional<double> act_ratio) {
  if (name == "recompute" || name == "flexgen" || name == "resident") {
    return absl::UnimplementedError(absl::StrCat(
        "--policy=", name, " is not built yet; use hybrid, kv or act"));
  }
  if (name != "kv" && name != "act" && name != "hybrid") {
    return absl::InvalidArgumentError(
        absl::StrCat("--policy=", name,
                     ": unknown; one of hybrid, kv, act, recompute, "
                     "flexgen, resident"));
  }
  if (act_ratio.has_value() && !(*act_ratio >= 0 && *act_ratio <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--act_ratio=", *act_ratio, ": must be auto or in [0, 1]"));
  }
  if (name == "hybrid") {
    if (!act_ratio.has_value()) return std::make_unique<HybridPolicy>();
    return std::make_unique<FixedPolicy>("hybrid", *act_ratio,
                                         "fixed by --act_ratio");
  }
  const double share = name == "act" ? 1 : 0;
  if (act_ratio.has_value() && *act_ratio != share) {
    return absl::InvalidArgumentError(
        absl::StrCat("--act_ratio=", *act_ratio, ": --policy=", name, " means ",
                     share, "; use --policy=hybrid"));
  }
  return std::make_unique<FixedPolicy>(std::string{name}, share,
                                       absl::StrCat("policy ", name));
}

}  // namespace hybridserve
