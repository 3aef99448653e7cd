#ifndef HYBRIDSERVE_CLIENT_OPENAI_CHOICE_OUTPUT_H_
#define HYBRIDSERVE_CLIENT_OPENAI_CHOICE_OUTPUT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/openai/response_json.h"
#include "client/openai/token_places.h"
#include "hybridserve/v1/inference_service.pb.h"

namespace hybridserve::openai {

// What a token says.
using TokenTextFunction = std::function<absl::StatusOr<std::string>(uint32_t)>;

// One choice as the server's messages make it. Thread-compatible.
class ChoiceOutput {
 public:
  // `token_text` is asked only for tokens that come with log-probabilities.
  ChoiceOutput(int64_t index, TokenTextFunction token_text);

  // What a message adds to the choice; empty if nothing. Cancelled if somebody
  // ended it by ControlService.Abort. An error leaves the choice unusable.
  absl::StatusOr<ChoicePart> Add(const v1::GenerateStreamResponse& message);

  // Text that stands before all that the server sends, and its log-probs.
  void SetPrefix(std::string text, std::vector<TokenLogProb> log_probs = {});

  // All of it so far.
  const ChoicePart& whole() const { return whole_; }
  bool finished() const { return whole_.finish_reason.has_value(); }
  const v1::Usage& usage() const { return usage_; }

 private:
  absl::StatusOr<std::vector<LikelyToken>> LikelyTokens(
      const v1::TopLogProbs& top);
  absl::Status AddTokens(const v1::TokenOutput& output, ChoicePart& part);

  const TokenTextFunction token_text_;
  ChoicePart whole_;
  TokenPlaces places_;
  v1::Usage usage_;
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_CHOICE_OUTPUT_H_
