#ifndef HYBRIDSERVE_CLIENT_OPENAI_ECHO_LOG_PROBS_H_
#define HYBRIDSERVE_CLIENT_OPENAI_ECHO_LOG_PROBS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/openai/choice_output.h"
#include "client/openai/response_json.h"
#include "hybridserve/v1/inference_service.pb.h"

namespace hybridserve::openai {

// A prompt's tokens with their log-probs, of which the first has none. `text`
// is what is shown of the prompt. The error of `token_text`; Internal for
// scores that do not fit their tokens.
absl::StatusOr<std::vector<TokenLogProb>> EchoLogProbs(
    const v1::ScoreResponse& scores, absl::string_view text,
    const TokenTextFunction& token_text);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_ECHO_LOG_PROBS_H_
