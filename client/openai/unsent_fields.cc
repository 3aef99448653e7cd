#include "client/openai/unsent_fields.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/sampling_check.h"
#include "common/sampling_params.h"
#include "common/status_details.h"
#include "common/status_macros.h"

namespace hybridserve::openai {
namespace {

SamplingParams SamplingOf(const GenerationOptions& options) {
  SamplingParams sampling;
  sampling.temperature = options.temperature.value_or(sampling.temperature);
  sampling.top_k = options.top_k.value_or(sampling.top_k);
  sampling.top_p = options.top_p.value_or(sampling.top_p);
  sampling.presence_penalty = options.presence_penalty.value_or(0);
  sampling.frequency_penalty = options.frequency_penalty.value_or(0);
  sampling.repetition_penalty = options.repetition_penalty.value_or(1);
  for (const auto& [id, bias] : options.logit_bias) {
    // No vocabulary has more ids.
    constexpr uint32_t kMost = std::numeric_limits<int32_t>::max();
    sampling.logit_bias.push_back(
        {.token = static_cast<int32_t>(std::min(id, kMost)), .bias = bias});
  }
  sampling.top_log_probs = options.top_log_probs;
  return sampling;
}

absl::Status CheckStops(absl::Span<const std::string> stops,
                        const v1::ModelLimits& limits) {
  if (stops.size() > limits.max_stop_conditions()) {
    return InvalidFieldError(
        "stopping.conditions",
        absl::StrCat("has ", stops.size(), " entries; at most ",
                     limits.max_stop_conditions()));
  }
  for (size_t i = 0; i < stops.size(); ++i) {
    const std::string field = absl::StrCat("stopping.conditions[", i, "].text");
    if (stops[i].empty()) return InvalidFieldError(field, "is empty");
    if (stops[i].size() > limits.max_stop_text_bytes()) {
      return InvalidFieldError(
          field, absl::StrCat("is ", stops[i].size(), " bytes; at most ",
                              limits.max_stop_text_bytes()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckUnsentFields(const GenerationOptions& options,
                               const v1::Model& model) {
  RETURN_IF_ERROR(
      CheckSampling(SamplingOf(options), model.shape().vocab_size()));
  if (options.min_tokens.value_or(0) != 0) {
    return InvalidFieldError(
        "stopping.min_tokens",
        absl::StrCat(*options.min_tokens, " is not in [0, max_tokens]"));
  }
  return CheckStops(options.stop, model.limits());
}

}  // namespace hybridserve::openai
