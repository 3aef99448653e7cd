#include "client/openai/choice_output.h"

#include <utility>

#include "absl/status/status.h"
#include "client/generation_options.h"
#include "common/status_macros.h"

namespace hybridserve::openai {

ChoiceOutput::ChoiceOutput(int64_t index, TokenTextFunction token_text)
    : token_text_(std::move(token_text)) {
  whole_.index = index;
}

void ChoiceOutput::SetPrefix(std::string text,
                             std::vector<TokenLogProb> log_probs) {
  places_.AddPrefix(text);
  whole_.text = std::move(text);
  whole_.log_probs = std::move(log_probs);
}

absl::StatusOr<ChoicePart> ChoiceOutput::Add(
    const v1::GenerateStreamResponse& message) {
  ChoicePart part{.index = whole_.index};
  if (message.has_token_output()) {
    RETURN_IF_ERROR(AddTokens(message.token_output(), part));
  } else if (message.has_finished()) {
    const v1::FinishReason reason = message.finished().reason();
    if (reason != v1::FINISH_REASON_STOP &&
        reason != v1::FINISH_REASON_LENGTH) {
      return absl::CancelledError("the request was aborted on the server");
    }
    part.finish_reason = std::string{Name(reason)};
    whole_.finish_reason = part.finish_reason;
  }
  if (message.has_usage()) usage_ = message.usage();
  return part;
}

absl::StatusOr<std::vector<LikelyToken>> ChoiceOutput::LikelyTokens(
    const v1::TopLogProbs& top) {
  std::vector<LikelyToken> tokens;
  for (int i = 0; i < top.token_ids_size(); ++i) {
    LikelyToken& token = tokens.emplace_back();
    ASSIGN_OR_RETURN(token.token, token_text_(top.token_ids(i)));
    token.log_prob = top.log_probs(i);
  }
  return tokens;
}

absl::Status ChoiceOutput::AddTokens(const v1::TokenOutput& output,
                                     ChoicePart& part) {
  part.text = output.text_delta();
  places_.AddText(part.text);
  for (int i = 0; i < output.log_probs_size(); ++i) {
    TokenLogProb& token = part.log_probs.emplace_back();
    ASSIGN_OR_RETURN(token.token, token_text_(output.token_ids(i)));
    token.log_prob = output.log_probs(i);
    token.text_offset = places_.Place(token.token);
    if (i < output.top_log_probs_size()) {
      ASSIGN_OR_RETURN(token.top, LikelyTokens(output.top_log_probs(i)));
    }
  }
  whole_.text += part.text;
  whole_.log_probs.insert(whole_.log_probs.end(), part.log_probs.begin(),
                          part.log_probs.end());
  return absl::OkStatus();
}

}  // namespace hybridserve::openai
