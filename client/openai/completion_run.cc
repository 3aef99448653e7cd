#include "client/openai/completion_run.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/openai/api_error.h"
#include "client/openai/echo_log_probs.h"
#include "client/openai/server_sent_event.h"
#include "common/status_macros.h"

namespace hybridserve::openai {
namespace {

using nlohmann::ordered_json;

bool IsEmpty(const ChoicePart& part) {
  return part.text.empty() && part.log_probs.empty() &&
         !part.finish_reason.has_value();
}

std::string ModelOf(const std::vector<v1::GenerateStreamRequest>& requests) {
  return requests.empty() ? "" : requests[0].model();
}

absl::string_view PromptField(Api api) {
  return api == Api::kChat ? "messages" : "prompt";
}

std::vector<v1::GenerateStreamRequest> TakeRequests(
    CompletionRun::Options& options) {
  std::vector<v1::GenerateStreamRequest> requests =
      std::exchange(options.requests, {});
  if (!options.only_prompts.empty()) requests.clear();
  return requests;
}

}  // namespace

CompletionRun::CompletionRun(v1::InferenceService::Stub& stub, Options options)
    : options_(std::move(options)),
      num_choices_(static_cast<int64_t>(options_.requests.size())),
      token_texts_(stub, options_.metadata, ModelOf(options_.requests)),
      scores_(stub, options_.metadata, options_.deadline,
              ModelOf(options_.requests)),
      calls_(stub, options_.metadata, options_.deadline,
             TakeRequests(options_)) {
  for (int64_t i = 0; i < num_choices_; ++i) {
    choices_.push_back(std::make_unique<ChoiceOutput>(
        i, [this](uint32_t id) { return token_texts_.Of(id); }));
  }
}

absl::Status CompletionRun::SetPrefixes() {
  std::vector<std::vector<TokenLogProb>> log_probs(options_.prefixes.size());
  if (!options_.scored_prompts.empty()) {
    ASSIGN_OR_RETURN(const std::vector<v1::ScoreResponse> scores,
                     scores_.Wait());
    for (const v1::ScoreResponse& score : scores) {
      RETURN_IF_ERROR(token_texts_.Fetch(score.token_ids()));
      RETURN_IF_ERROR(token_texts_.Fetch(score.top_token_ids()));
    }
    for (size_t i = 0; i < scores.size(); ++i) {
      ASSIGN_OR_RETURN(
          log_probs[i],
          EchoLogProbs(scores[i], options_.prefixes[i],
                       [this](uint32_t id) { return token_texts_.Of(id); }));
    }
  }
  for (int64_t i = 0; i < num_choices_; ++i) {
    if (!options_.prefixes.empty()) {
      const int64_t prompt = PromptOf(i);
      choices_[i]->SetPrefix(options_.prefixes[prompt], log_probs[prompt]);
    }
    openings_.push_back(choices_[i]->whole());
    openings_.back().opens = true;
  }
  return absl::OkStatus();
}

absl::Status CompletionRun::EndWithPrefixes() {
  for (int64_t i = 0; i < num_choices_; ++i) {
    v1::GenerateStreamResponse end;
    end.mutable_finished()->set_reason(v1::FINISH_REASON_LENGTH);
    end.mutable_usage()->set_prompt_tokens(
        static_cast<uint32_t>(options_.only_prompts[PromptOf(i)]));
    ASSIGN_OR_RETURN(early_parts_.emplace_back(), choices_[i]->Add(end));
  }
  return absl::OkStatus();
}

absl::Status CompletionRun::WaitUntilAccepted() {
  RETURN_IF_ERROR(scores_.Start(options_.scored_prompts));
  RETURN_IF_ERROR(SetPrefixes());
  if (!options_.only_prompts.empty()) return EndWithPrefixes();
  std::set<int64_t> waiting;
  for (int64_t i = 0; i < calls_.size(); ++i) waiting.insert(i);
  while (!waiting.empty()) {
    const auto event = calls_.Next(absl::InfiniteFuture());
    if (!event.has_value()) return absl::InternalError("no answer");
    ASSIGN_OR_RETURN(ChoicePart part, Take(*event));
    waiting.erase(event->call);
    if (!IsEmpty(part)) early_parts_.push_back(std::move(part));
  }
  return absl::OkStatus();
}

absl::Status CompletionRun::FetchTexts(const v1::TokenOutput& output) {
  std::vector<uint32_t> ids;
  if (!output.log_probs().empty()) {
    ids.assign(output.token_ids().begin(), output.token_ids().end());
  }
  for (const v1::TopLogProbs& top : output.top_log_probs()) {
    ids.insert(ids.end(), top.token_ids().begin(), top.token_ids().end());
  }
  return token_texts_.Fetch(ids);
}

absl::StatusOr<ChoicePart> CompletionRun::Take(
    const GenerationCalls::Event& event) {
  ChoiceOutput& choice = *choices_[event.call];
  if (!event.ended) {
    RETURN_IF_ERROR(FetchTexts(event.message.token_output()));
    return choice.Add(event.message);
  }
  RETURN_IF_ERROR(event.status);
  if (!choice.finished()) {
    return absl::InternalError("the server ended the output without a reason");
  }
  return ChoicePart{.index = event.call};
}

absl::StatusOr<ordered_json> CompletionRun::Collect() {
  while (const auto event = calls_.Next(absl::InfiniteFuture())) {
    RETURN_IF_ERROR(Take(*event).status());
  }
  std::vector<ChoicePart> choices;
  for (const auto& choice : choices_) choices.push_back(choice->whole());
  return WholeBody(options_.head, choices, usage());
}

absl::Status CompletionRun::Stream(http::BodyWriter& writer) {
  absl::Status status = StreamParts(writer);
  if (!status.ok()) {
    // What is still running has nobody to write for.
    calls_.Cancel();
    writer.Write(ServerSentEvent(
        ToBody(ToApiError(status, PromptField(options_.head.api)))));
  } else if (options_.head.usage_of_stream) {
    writer.Write(
        ServerSentEvent(ToText(UsageChunkBody(options_.head, usage()))));
  }
  writer.Write(kDoneEvent);
  return status;
}

absl::Status CompletionRun::StreamParts(http::BodyWriter& writer) {
  absl::Status gone = absl::CancelledError("the client is gone");
  for (const ChoicePart& opening : openings_) {
    const bool says_something = options_.head.api == Api::kChat ||
                                !opening.text.empty() ||
                                !opening.log_probs.empty();
    if (says_something && !Send(opening, writer)) return gone;
  }
  for (const ChoicePart& part : std::exchange(early_parts_, {})) {
    if (!Send(part, writer)) return gone;
  }
  while (!calls_.all_ended()) {
    const auto event = calls_.Next(absl::Now() + options_.ping_interval);
    if (!event.has_value()) {
      if (!writer.Write(kPing)) return gone;
      continue;
    }
    ASSIGN_OR_RETURN(const ChoicePart part, Take(*event));
    if (!IsEmpty(part) && !Send(part, writer)) return gone;
  }
  return absl::OkStatus();
}

bool CompletionRun::Send(const ChoicePart& part,
                         http::BodyWriter& writer) const {
  return writer.Write(ServerSentEvent(ToText(ChunkBody(options_.head, part))));
}

UsageTotals CompletionRun::usage() const {
  UsageTotals totals;
  for (int64_t i = 0; i < num_choices_; ++i) {
    const v1::Usage& usage = choices_[i]->usage();
    totals.completion_tokens += usage.completion_tokens();
    // A prompt counts once, however many choices it has.
    if (i % options_.choices_of_prompt == 0) {
      totals.prompt_tokens += usage.prompt_tokens();
    }
  }
  return totals;
}

}  // namespace hybridserve::openai
