#include "scheduler/rpc/request_recorder.h"

#include <utility>

#include "glog/logging.h"
#include "scheduler/rpc/request_log.h"

namespace hybridserve {

RequestRecorder::RequestRecorder(const RecordingEnvironment& environment,
                                 CallIdentity identity,
                                 const GenerationRequest& request)
    : environment_(environment),
      identity_(std::move(identity)),
      labels_({.model = request.model, .tenant = request.tenant}),
      token_series_(environment.metrics.TokensOf(labels_)),
      prompt_tokens_(static_cast<int64_t>(request.prompt.size())),
      begun_(environment.clock.Now()) {}

void RequestRecorder::OnToken() {
  const absl::Time now = environment_.clock.Now();
  ++num_tokens_;
  if (first_token_.has_value()) {
    token_series_.Count(now - last_token_);
  } else {
    first_token_ = now;
    CountPrompt();
    token_series_.Count(std::nullopt);
  }
  last_token_ = now;
}

void RequestRecorder::OnScores() { CountPrompt(); }

void RequestRecorder::OnFinished(FinishReason reason, const Usage& usage) {
  environment_.metrics.CountFinished(labels_, reason, usage);
  LOG_IF(INFO, environment_.log_requests)
      << FinishedLine(identity_, labels_, usage, reason);
}

void RequestRecorder::OnFailed(const absl::Status& status) {
  environment_.metrics.CountFailed(labels_, status);
  if (!environment_.log_requests) return;
  // The core tells nothing of what a failed request used.
  Usage usage = {.prompt_tokens = prompt_tokens_,
                 .completion_tokens = num_tokens_,
                 .total_time = environment_.clock.Now() - begun_};
  if (first_token_.has_value()) {
    usage.first_token_time = *first_token_ - begun_;
  }
  LOG(INFO) << FailedLine(identity_, labels_, usage, status.code());
}

void RequestRecorder::CountPrompt() {
  environment_.metrics.CountPrompt(labels_, prompt_tokens_);
}

void RecordRefusal(const RecordingEnvironment& environment,
                   const CallIdentity& identity,
                   const std::optional<std::string>& tenant,
                   const absl::Status& status) {
  environment.metrics.CountRejected(tenant, status);
  LOG_IF(INFO, environment.log_requests)
      << RefusedLine(identity, tenant.value_or(""), status.code());
}

}  // namespace hybridserve
