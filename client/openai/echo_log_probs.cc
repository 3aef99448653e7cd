#include "client/openai/echo_log_probs.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "client/openai/token_places.h"
#include "common/status_macros.h"

namespace hybridserve::openai {

absl::StatusOr<std::vector<TokenLogProb>> EchoLogProbs(
    const v1::ScoreResponse& scores, absl::string_view text,
    const TokenTextFunction& token_text) {
  const int count = scores.token_ids_size();
  const int scored = count == 0 ? 0 : count - 1;
  if (scores.log_probs_size() != scored ||
      scores.top_token_ids_size() != scored ||
      scores.top_log_probs_size() != scored) {
    return absl::InternalError("the server's scores do not fit its tokens");
  }
  std::vector<TokenLogProb> tokens;
  tokens.reserve(count);
  TokenPlaces places;
  places.AddText(text);
  for (int i = 0; i < count; ++i) {
    TokenLogProb& token = tokens.emplace_back();
    ASSIGN_OR_RETURN(token.token, token_text(scores.token_ids(i)));
    token.text_offset = places.Place(token.token);
    if (i == 0) {
      token.log_prob = std::nullopt;
      continue;
    }
    token.log_prob = scores.log_probs(i - 1);
    LikelyToken& top = token.top.emplace_back();
    ASSIGN_OR_RETURN(top.token, token_text(scores.top_token_ids(i - 1)));
    top.log_prob = scores.top_log_probs(i - 1);
  }
  return tokens;
}

}  // namespace hybridserve::openai
