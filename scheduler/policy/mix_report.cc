#include "scheduler/policy/mix_report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hybridserve {
namespace {

std::string Alone(absl::string_view policy, const MixPoint& point) {
  if (point.sequences == 0) return absl::StrCat(policy, " does not fit");
  return absl::StrFormat("%s %.3g with %d sequences", policy,
                         point.seconds_per_token() * 1e3, point.sequences);
}

std::string Binds(absl::string_view binds) {
  return binds == "balanced" ? "balanced"
                             : absl::StrCat("the ", binds, " binds");
}

}  // namespace

std::string DescribeMix(const CacheMix& mix, absl::string_view why) {
  std::string text{why};
  const MixPoint& chosen = mix.chosen;
  if (chosen.sequences == 0) return text;
  const StepTime& time = chosen.time;
  absl::StrAppend(
      &text, text.empty() ? "" : "; ",
      absl::StrFormat("%s at %d sequences: a layer's link %.3g ms, compute "
                      "%.3g ms; %.3g ms a token (%s, %s)",
                      Binds(time.binds()), chosen.sequences, time.link * 1e3,
                      time.compute * 1e3, chosen.seconds_per_token() * 1e3,
                      Alone("kv", mix.kv), Alone("act", mix.act)));
  if (mix.max_sequences != INT64_MAX) {
    absl::StrAppend(&text, "; more at a time would be slower");
  }
  return text;
}

}  // namespace hybridserve
