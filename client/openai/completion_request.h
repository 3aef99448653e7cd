#ifndef HYBRIDSERVE_CLIENT_OPENAI_COMPLETION_REQUEST_H_
#define HYBRIDSERVE_CLIENT_OPENAI_COMPLETION_REQUEST_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/openai/generation_fields.h"

namespace hybridserve::openai {

// Text, or token ids that are taken as they are.
using Prompt = std::variant<std::string, std::vector<int32_t>>;

// The body of POST /v1/completions.
struct CompletionRequest {
  GenerationFields fields;
  std::vector<Prompt> prompts;  // At least one.
  bool echo = false;
  // Log-probabilities of the chosen tokens, and with `echo` those of the
  // prompt, are asked for, and, as `logprobs` is above 0, those of the
  // likeliest.
  bool log_probs = false;
  bool top_log_probs = false;
};

// InvalidArgument naming the field. Fields that OpenAI has and this server has
// not may be there if they change nothing; others are errors, so that what is
// misspelt is not dropped. A null is a field that is not there.
absl::StatusOr<CompletionRequest> ParseCompletionRequest(
    absl::string_view body);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_COMPLETION_REQUEST_H_
