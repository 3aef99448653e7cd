#include "scheduler/core/request_validator.h"

#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/status_details.h"
#include "common/status_macros.h"

namespace hybridserve {
namespace {

// `lowest` is 0, or -1 where that id means "none".
absl::Status ValidateIds(absl::string_view field, absl::Span<const int32_t> ids,
                         int32_t lowest, const ModelConfig& config) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < lowest || ids[i] >= config.vocab_size) {
      return InvalidFieldError(
          field,
          absl::StrCat("id ", ids[i], " at index ", i,
                       " is outside of the vocabulary of ", config.vocab_size));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidatePenalties(const SamplingParams& sampling) {
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

absl::Status ValidateLogitBias(absl::Span<const LogitBias> biases,
                               const ModelConfig& config) {
  constexpr absl::string_view kField = "sampling.logit_bias";
  const auto count = static_cast<int64_t>(biases.size());
  if (count > kMaxLogitBiases) {
    return InvalidFieldError(
        kField, absl::StrCat("has ", count, " ids; at most ", kMaxLogitBiases));
  }
  for (const LogitBias& bias : biases) {
    RETURN_IF_ERROR(
        ValidateIds(kField, absl::MakeConstSpan(&bias.token, 1), 0, config));
    if (!(std::abs(bias.bias) <= kMaxLogitBias)) {
      return InvalidFieldError(
          kField, absl::StrCat(bias.bias, " of id ", bias.token, " is not in [",
                               -kMaxLogitBias, ", ", kMaxLogitBias, "]"));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateSampling(const SamplingParams& sampling,
                              const ModelConfig& config) {
  if (!std::isfinite(sampling.temperature) || sampling.temperature < 0) {
    return InvalidFieldError(
        "sampling.temperature",
        absl::StrCat(sampling.temperature, " is not a number >= 0"));
  }
  if (!(sampling.top_p > 0 && sampling.top_p <= 1)) {
    return InvalidFieldError("sampling.top_p",
                             absl::StrCat(sampling.top_p, " is not in (0, 1]"));
  }
  if (sampling.top_k < 0 || sampling.top_k > config.vocab_size) {
    return InvalidFieldError("sampling.top_k",
                             absl::StrCat(sampling.top_k, " is not in [0, ",
                                          config.vocab_size, "]"));
  }
  if (sampling.top_log_probs < 0 || sampling.top_log_probs > kMaxTopLogProbs) {
    return InvalidFieldError(
        "response.top_log_probs",
        absl::StrCat(sampling.top_log_probs, " is not in [0, ", kMaxTopLogProbs,
                     "]"));
  }
  RETURN_IF_ERROR(ValidatePenalties(sampling));
  return ValidateLogitBias(sampling.logit_bias, config);
}

absl::Status ValidateStopping(const GenerationRequest& request,
                              const ModelConfig& config) {
  const auto prompt = static_cast<int64_t>(request.prompt.size());
  if (request.max_tokens < 1) {
    return InvalidFieldError(
        "stopping.max_tokens",
        absl::StrCat(request.max_tokens, " is not at least 1"));
  }
  if (request.max_tokens > config.max_positions - prompt) {
    return InvalidFieldError(
        "stopping.max_tokens",
        absl::StrCat(request.max_tokens, " after a prompt of ", prompt,
                     " tokens; the model takes ", config.max_positions,
                     " together"));
  }
  if (request.min_tokens < 0 || request.min_tokens > request.max_tokens) {
    return InvalidFieldError(
        "stopping.min_tokens",
        absl::StrCat(request.min_tokens, " is not in [0, max_tokens]"));
  }
  return ValidateIds("stopping.conditions", request.stop_token_ids, 0, config);
}

}  // namespace

absl::Status ValidateRequest(const GenerationRequest& request,
                             const ModelConfig& config) {
  const auto prompt = static_cast<int64_t>(request.prompt.size());
  if (prompt == 0) return InvalidFieldError("prompt", "has no tokens");
  // A continued prompt leaves room for a token.
  const int64_t longest = config.max_positions - (request.is_score() ? 0 : 1);
  if (prompt > longest) {
    return InvalidFieldError(
        "prompt",
        absl::StrCat("has ", prompt, " tokens; the model takes ", longest));
  }
  RETURN_IF_ERROR(ValidateIds("token_ids", request.prompt, 0, config));
  if (request.is_score()) {
    if (request.score_targets.size() != request.prompt.size()) {
      return InvalidFieldError(
          "score_targets", absl::StrCat("has ", request.score_targets.size(),
                                        " ids for ", prompt, " tokens"));
    }
    return ValidateIds("score_targets", request.score_targets, -1, config);
  }
  RETURN_IF_ERROR(ValidateSampling(request.sampling, config));
  return ValidateStopping(request, config);
}

}  // namespace hybridserve
