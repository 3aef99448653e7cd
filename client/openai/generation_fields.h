#ifndef HYBRIDSERVE_CLIENT_OPENAI_GENERATION_FIELDS_H_
#define HYBRIDSERVE_CLIENT_OPENAI_GENERATION_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/generation_options.h"
#include "nlohmann/json.hpp"

namespace hybridserve::openai {

inline constexpr int64_t kMaxChoicesOfPrompt = 128;

// What completions and chat completions have in common.
struct GenerationFields {
  // All but the input. The temperature is always set: OpenAI's default is 1.
  GenerationOptions options = {.temperature = 1.0};
  int64_t choices_of_prompt = 1;  // n
  bool stream = false;
  bool include_usage = false;  // stream_options.include_usage
  std::optional<std::string> user;
};

// Reads `field`, which is not null, into `fields` if it is one of theirs;
// returns whether it is. Those are OpenAI's
//   model n temperature top_p max_tokens seed stop stream stream_options user
//   presence_penalty frequency_penalty logit_bias
// of which the last three must change nothing, and, as vLLM has them,
//   top_k min_tokens ignore_eos priority.
// Ranges are the server's business. InvalidArgument naming the field.
absl::StatusOr<bool> ReadGenerationField(absl::string_view field,
                                         const nlohmann::json& value,
                                         GenerationFields& fields);

// InvalidArgument about fields that are missing or contradict each other.
absl::Status CheckGenerationFields(const nlohmann::json& body,
                                   const GenerationFields& fields);

// The body as a JSON object, or InvalidArgument.
absl::StatusOr<nlohmann::json> ParseBody(absl::string_view body);

// InvalidArgument: no request has such a field.
absl::Status UnknownField(absl::string_view field);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_GENERATION_FIELDS_H_
