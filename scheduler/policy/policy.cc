#include "scheduler/policy/policy.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "scheduler/policy/fixed_policy.h"
#include "scheduler/policy/flexgen_policy.h"
#include "scheduler/policy/hybrid_policy.h"
#include "scheduler/policy/recompute_policy.h"
#include "scheduler/policy/resident_policy.h"

namespace hybridserve {

StepRoster Policy::Plan(const StepSnapshot& snapshot,
                        const CacheMix& mix) const {
  static_cast<void>(mix);
  return FormRoster(snapshot);
}

absl::Status Policy::CheckWorker(const WorkerInfo& worker,
                                 const ModelConfig& config) const {
  static_cast<void>(worker);
  static_cast<void>(config);
  return absl::OkStatus();
}

std::vector<PoolInfo> Policy::UsablePools(const WorkerInfo& worker) const {
  return worker.pools;
}

StepTime Policy::Predict(const CostModel& costs, const StepLoad& load,
                         const BlockCounts& blocks) const {
  return PredictStep(costs, load, blocks);
}

namespace {

constexpr double kDefaultRecomputeRatio = 0.25;

absl::Status CheckName(absl::string_view name) {
  for (const absl::string_view known :
       {"hybrid", "kv", "act", "recompute", "flexgen", "resident"}) {
    if (name == known) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--policy=", name,
                   ": unknown; one of hybrid, kv, act, recompute, flexgen, "
                   "resident"));
}

absl::StatusOr<std::unique_ptr<Policy>> MakeHybrid(
    std::optional<double> act_ratio) {
  if (!act_ratio.has_value()) return std::make_unique<HybridPolicy>();
  if (!(*act_ratio >= 0 && *act_ratio <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--act_ratio=", *act_ratio, ": must be auto or in [0, 1]"));
  }
  return std::make_unique<FixedPolicy>("hybrid", *act_ratio,
                                       "fixed by --act_ratio");
}

absl::StatusOr<std::unique_ptr<Policy>> MakeRecompute(
    const PolicyParameters& parameters) {
  const double ratio =
      parameters.recompute_ratio.value_or(kDefaultRecomputeRatio);
  if (!(ratio >= 0 && ratio <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--recompute_ratio=", ratio, ": must be in [0, 1]"));
  }
  return std::make_unique<RecomputePolicy>(ratio);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Policy>> ParsePolicy(
    absl::string_view name, std::optional<double> act_ratio,
    const PolicyParameters& parameters) {
  RETURN_IF_ERROR(CheckName(name));
  if (parameters.recompute_ratio.has_value() && name != "recompute") {
    return absl::InvalidArgumentError(absl::StrCat(
        "--recompute_ratio: not with --policy=", name, "; use recompute"));
  }
  if (parameters.percents.has_value() && name != "flexgen") {
    return absl::InvalidArgumentError(
        absl::StrCat("--percent: not with --policy=", name, "; use flexgen"));
  }
  if (parameters.relay.has_value() && name != "flexgen") {
    return absl::InvalidArgumentError(absl::StrCat(
        "--flexgen_relay: not with --policy=", name, "; use flexgen"));
  }
  if (name == "hybrid") return MakeHybrid(act_ratio);
  const double share = name == "act" ? 1 : 0;
  if (act_ratio.has_value() && *act_ratio != share) {
    return absl::InvalidArgumentError(
        absl::StrCat("--act_ratio=", *act_ratio, ": --policy=", name, " means ",
                     share, "; use --policy=hybrid"));
  }
  if (name == "kv" || name == "act") {
    return std::make_unique<FixedPolicy>(std::string{name}, share,
                                         absl::StrCat("policy ", name));
  }
  if (name == "recompute") return MakeRecompute(parameters);
  if (name == "resident") return std::make_unique<ResidentPolicy>();
  return std::make_unique<FlexGenPolicy>(parameters.percents,
                                         parameters.relay.value_or(false));
}

}  // namespace hybridserve
