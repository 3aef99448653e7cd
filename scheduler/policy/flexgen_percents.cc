#include "scheduler/policy/flexgen_percents.h"

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

constexpr size_t kNumbers = 6;

template <typename... Parts>
absl::Status Wrong(absl::string_view text, const Parts&... parts) {
  return absl::InvalidArgumentError(
      absl::StrCat("--percent=", text, ": ", parts...));
}

absl::Status CheckPair(absl::string_view text, absl::string_view what,
                       double gpu, double cpu) {
  if (!(gpu >= 0 && cpu >= 0 && gpu + cpu <= 100)) {
    return Wrong(text, gpu, " and ", cpu, " of the ", what,
                 " are no percents that add up to 100");
  }
  if (gpu + cpu == 100) return absl::OkStatus();
  return Wrong(text, 100 - gpu - cpu, "% of the ", what,
               " would be on disk; there is no disk tier");
}

}  // namespace

std::string FlexGenPercents::ToString() const {
  return absl::StrJoin(
      {weight_gpu, weight_cpu, cache_gpu, cache_cpu, act_gpu, act_cpu}, ",");
}

absl::StatusOr<FlexGenPercents> ParseFlexGenPercents(absl::string_view text) {
  std::vector<double> numbers;
  for (const absl::string_view part :
       absl::StrSplit(text, absl::ByAnyChar(", "), absl::SkipEmpty())) {
    if (!absl::SimpleAtod(part, &numbers.emplace_back())) {
      return Wrong(text, "\"", part, "\" is no number");
    }
  }
  if (numbers.size() != kNumbers) {
    return Wrong(text, numbers.size(),
                 " numbers; six are wanted: weights, cache and activations, "
                 "each on the device and on the host");
  }
  const FlexGenPercents percents = {.weight_gpu = numbers[0],
                                    .weight_cpu = numbers[1],
                                    .cache_gpu = numbers[2],
                                    .cache_cpu = numbers[3],
                                    .act_gpu = numbers[4],
                                    .act_cpu = numbers[5]};
  RETURN_IF_ERROR(
      CheckPair(text, "weights", percents.weight_gpu, percents.weight_cpu));
  RETURN_IF_ERROR(
      CheckPair(text, "cache", percents.cache_gpu, percents.cache_cpu));
  RETURN_IF_ERROR(
      CheckPair(text, "activations", percents.act_gpu, percents.act_cpu));
  if (percents.act_gpu != 0 && percents.act_cpu != 0) {
    return Wrong(text, "activations are on two tiers; FlexGen has them on one");
  }
  return percents;
}

}  // namespace hybridserve
