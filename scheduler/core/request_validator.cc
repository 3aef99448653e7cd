#include "scheduler/core/request_validator.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/sampling_check.h"
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
  RETURN_IF_ERROR(CheckSampling(request.sampling, config.vocab_size));
  return ValidateStopping(request, config);
}

}  // namespace hybridserve
