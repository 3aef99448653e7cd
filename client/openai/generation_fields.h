#ifndef HYBRIDSERVE_CLIENT_OPENAI_GENERATION_FIELDS_H_
#define HYBRIDSERVE_CLIENT_OPENAI_GENERATION_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
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

// Reads a field that only one kind of request has.
using OwnFieldReader = absl::FunctionRef<absl::Status(
    const std::string& field, const nlohmann::json& value)>;

// Reads a request's body, a JSON object, whose fields are null or OpenAI's
//   model n temperature top_p max_tokens seed stop stream stream_options user
//   presence_penalty frequency_penalty logit_bias
// or, as vLLM has them,
//   top_k repetition_penalty min_tokens ignore_eos priority
// into `fields`; all others are for `read_own`. Ranges are the server's
// business. InvalidArgument naming the field that is wrong, missing or at odds
// with another.
absl::Status ReadRequest(absl::string_view body, GenerationFields& fields,
                         OwnFieldReader read_own);

// InvalidArgument: no request has such a field.
absl::Status UnknownField(absl::string_view field);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_GENERATION_FIELDS_H_
