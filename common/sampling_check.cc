#include "common/sampling_check.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/status_details.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

absl::Status CheckPenalties(const SamplingParams& sampling) {
  const struct {
    absl::string_view field;
    double value;
  } penalties[] = {
      {"sampling.presence_penalty", sampling.presence_penalty},
      {"sampling.frequency_penalty", sampling.frequency_penalty},
  };
  for (const auto& [field, value] : penalties) {
    if (!(std::abs(value) <= kMaxPenalty)) {  // NaN, too.
      return InvalidFieldError(
          field, absl::StrCat(value, " is not in [", -kMaxPenalty, ", ",
                              kMaxPenalty, "]"));
    }
  }
  if (!std::isfinite(sampling.repetition_penalty) ||
      sampling.repetition_penalty <= 0) {
    return InvalidFieldError(
        "sampling.repetition_penalty",
        absl::StrCat(sampling.repetition_penalty, " is not a number > 0"));
  }
  return absl::OkStatus();
}

absl::Status CheckLogitBias(absl::Span<const LogitBias> biases,
                            int64_t vocab_size) {
  constexpr absl::string_view kField = "sampling.logit_bias";
  const auto count = static_cast<int64_t>(biases.size());
  if (count > kMaxLogitBiases) {
    return InvalidFieldError(
        kField, absl::StrCat("has ", count, " ids; at most ", kMaxLogitBiases));
  }
  for (const LogitBias& bias : biases) {
    if (bias.token < 0 || bias.token >= vocab_size) {
      return InvalidFieldError(
          kField,
          absl::StrCat("id ", bias.token, " is outside of the vocabulary of ",
                       vocab_size));
    }
    if (!(std::abs(bias.bias) <= kMaxLogitBias)) {
      return InvalidFieldError(
          kField, absl::StrCat(bias.bias, " of id ", bias.token, " is not in [",
                               -kMaxLogitBias, ", ", kMaxLogitBias, "]"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSampling(const SamplingParams& sampling, int64_t vocab_size) {
  if (!std::isfinite(sampling.temperature) || sampling.temperature < 0) {
    return InvalidFieldError(
        "sampling.temperature",
        absl::StrCat(sampling.temperature, " is not a number >= 0"));
  }
  if (!(sampling.top_p > 0 && sampling.top_p <= 1)) {
    return InvalidFieldError("sampling.top_p",
                             absl::StrCat(sampling.top_p, " is not in (0, 1]"));
  }
  if (sampling.top_k < 0 || sampling.top_k > vocab_size) {
    return InvalidFieldError(
        "sampling.top_k",
        absl::StrCat(sampling.top_k, " is not in [0, ", vocab_size, "]"));
  }
  if (sampling.top_log_probs < 0 || sampling.top_log_probs > kMaxTopLogProbs) {
    return InvalidFieldError(
        "response.top_log_probs",
        absl::StrCat(sampling.top_log_probs, " is not in [0, ", kMaxTopLogProbs,
                     "]"));
  }
  RETURN_IF_ERROR(CheckPenalties(sampling));
  return CheckLogitBias(sampling.logit_bias, vocab_size);
}

}  // namespace hybridserve
