#ifndef HYBRIDSERVE_CLIENT_OPENAI_COMPLETION_RUN_H_
#define HYBRIDSERVE_CLIENT_OPENAI_COMPLETION_RUN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/openai/call_metadata.h"
#include "client/openai/choice_output.h"
#include "client/openai/completion_request.h"
#include "client/openai/generation_calls.h"
#include "client/openai/http/http_message.h"
#include "client/openai/prompt_scores.h"
#include "client/openai/response_json.h"
#include "client/openai/token_texts.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"
#include "nlohmann/json.hpp"

namespace hybridserve::openai {

// One completion or chat while it is served: all its choices.
//
// Cancel() is thread-safe; all else is for one thread.
class CompletionRun {
 public:
  struct Options {
    ResponseHead head;
    CallMetadata metadata;
    absl::Time deadline = absl::InfiniteFuture();
    int64_t choices_of_prompt = 1;
    std::vector<v1::GenerateStreamRequest> requests;
    std::vector<std::string> prefixes;  // Of each prompt's choices; or empty.
    // The prompts whose log-probs come with their prefixes; or empty.
    std::vector<Prompt> scored_prompts;
    // How long each prompt is in tokens, if nothing is generated: then choices
    // are their prefixes alone.
    std::vector<int64_t> only_prompts;
    // A stream that has nothing to say for so long says so.
    absl::Duration ping_interval = absl::Seconds(15);
  };

  // Begins. `stub` outlives this.
  CompletionRun(v1::InferenceService::Stub& stub, Options options);

  // Waits until the server has taken all requests, or refused one, and scored
  // what is to be scored: until then an error can have its HTTP status.
  absl::Status WaitUntilAccepted();

  // All of it, once it is there.
  absl::StatusOr<nlohmann::ordered_json> Collect();

  // As a stream of events, with an error as the last but one; returns that
  // error, or Cancelled if the client is gone.
  absl::Status Stream(http::BodyWriter& writer);

  // It ends soon with an error, unless it had ended.
  void Cancel() {
    scores_.Cancel();
    calls_.Cancel();
  }

  UsageTotals usage() const;

 private:
  // Gives the choices what stands before them.
  absl::Status SetPrefixes();
  // They end with that.
  absl::Status EndWithPrefixes();
  // Asks for all texts that the output's log-probs need at once.
  absl::Status FetchTexts(const v1::TokenOutput& output);
  // What `event` adds to its choice.
  absl::StatusOr<ChoicePart> Take(const GenerationCalls::Event& event);
  // Until all calls have ended. The client is gone: Cancelled.
  absl::Status StreamParts(http::BodyWriter& writer);
  bool Send(const ChoicePart& part, http::BodyWriter& writer) const;

  int64_t PromptOf(int64_t choice) const {
    return choice / options_.choices_of_prompt;
  }

  Options options_;
  const int64_t num_choices_;
  TokenTexts token_texts_;
  std::vector<std::unique_ptr<ChoiceOutput>> choices_;
  std::vector<ChoicePart> openings_;     // What stands before the output.
  std::vector<ChoicePart> early_parts_;  // Came before all were accepted.
  PromptScores scores_;
  GenerationCalls calls_;  // Ends first.
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_COMPLETION_RUN_H_
