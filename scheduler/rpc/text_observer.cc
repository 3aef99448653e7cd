#include "scheduler/rpc/text_observer.h"

#include <utility>

#include "common/status_macros.h"
#include "scheduler/rpc/request_error.h"

namespace hybridserve {

absl::StatusOr<std::unique_ptr<TextObserver>> TextObserver::Create(
    const PreparedRequest& prepared, RequestRecorder recorder,
    GenerationSink& sink) {
  if (!prepared.stop_texts.empty()) {
    RETURN_IF_ERROR(TokenizerOf(*prepared.model).status());
  }
  ASSIGN_OR_RETURN(StopMatcher stop_matcher,
                   StopMatcher::Create(prepared.stop_texts));
  return std::unique_ptr<TextObserver>(new TextObserver(
      prepared, std::move(stop_matcher), std::move(recorder), sink));
}

TextObserver::TextObserver(const PreparedRequest& prepared,
                           StopMatcher stop_matcher, RequestRecorder recorder,
                           GenerationSink& sink)
    : request_id_(prepared.request.request_id),
      model_(prepared.model),
      stop_texts_(prepared.stop_texts),
      want_log_probs_(prepared.request.sampling.want_log_prob),
      want_top_log_probs_(prepared.request.sampling.top_log_probs > 0),
      stop_matcher_(std::move(stop_matcher)),
      recorder_(std::move(recorder)),
      sink_(sink) {
  if (model_->tokenizer != nullptr) {
    decoder_.emplace(*model_->tokenizer, /*skip_special_tokens=*/true);
  }
}

void TextObserver::OnAccepted(int64_t queue_position) {
  sink_.OnAccepted(queue_position);
}

bool TextObserver::OnToken(const ProducedToken& token) {
  last_token_ = token.id;
  ++num_tokens_;
  recorder_.OnToken();
  StopMatcher::Result shown =
      stop_matcher_.Push(decoder_.has_value() ? decoder_->Push(token.id) : "");
  stop_ = shown.stop;
  OutputPart part{.token_ids = {token.id}, .text = std::move(shown.text)};
  if (want_log_probs_) part.log_probs = {token.log_prob};
  if (want_top_log_probs_) {
    part.top = {{token.top.begin(), token.top.end()}};
  }
  sink_.OnOutput(std::move(part));
  return !stop_.has_value();
}

void TextObserver::OnScores(const std::vector<TokenScore>& scores) {
  recorder_.OnScores();
  sink_.OnScores(scores);
}

void TextObserver::OnResumed() { sink_.OnResumed(num_tokens_); }

void TextObserver::OnFinished(FinishReason reason, const Usage& usage) {
  if (!stop_.has_value()) {
    // A stop text may end in what is left of a character.
    StopMatcher::Result rest =
        stop_matcher_.Push(decoder_.has_value() ? decoder_->Flush() : "");
    stop_ = rest.stop;
    rest.text += stop_matcher_.Flush();
    if (!rest.text.empty()) sink_.OnOutput({.text = std::move(rest.text)});
  }
  OutputEnd end{.reason = reason, .usage = usage};
  if (stop_.has_value()) {
    end.reason = FinishReason::kStop;
    end.stop_text = stop_texts_[*stop_];
  } else if (reason == FinishReason::kStop) {
    end.stop_token_id = last_token_;
  }
  recorder_.OnFinished(end.reason, usage);
  sink_.OnEnd(end);
}

void TextObserver::OnError(const absl::Status& status) {
  recorder_.OnFailed(status);
  sink_.OnError(ExplainRequestError(status, request_id_, model_->name));
}

}  // namespace hybridserve
