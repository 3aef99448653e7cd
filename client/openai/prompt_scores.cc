#include "client/openai/prompt_scores.h"

#include <utility>

#include "client/openai/prompt_ids.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"

namespace hybridserve::openai {

struct PromptScores::Call {
  grpc::ClientContext context;
  v1::ScoreRequest request;
  v1::ScoreResponse response;
  absl::Status status;
};

PromptScores::PromptScores(v1::InferenceService::Stub& stub,
                           CallMetadata metadata, absl::Time deadline,
                           std::string model)
    : stub_(stub),
      metadata_(std::move(metadata)),
      deadline_(deadline),
      model_(std::move(model)) {}

PromptScores::~PromptScores() {
  Cancel();
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &PromptScores::AllEnded));
}

absl::Status PromptScores::Start(absl::Span<const Prompt> prompts) {
  std::vector<std::unique_ptr<Call>> calls;
  for (const Prompt& prompt : prompts) {
    ASSIGN_OR_RETURN(v1::TokenIds ids,
                     PromptIds(stub_, metadata_, deadline_, model_, prompt));
    Call& call = *calls.emplace_back(std::make_unique<Call>());
    call.request.set_model(model_);
    *call.request.mutable_token_ids() = std::move(ids);
    metadata_.AddTo(call.context);
    if (deadline_ != absl::InfiniteFuture()) {
      call.context.set_deadline(absl::ToChronoTime(deadline_));
    }
  }
  std::vector<Call*> to_start;
  {
    absl::MutexLock lock(&mutex_);
    if (cancelled_) return absl::CancelledError("the client is gone");
    calls_ = std::move(calls);
    for (const std::unique_ptr<Call>& call : calls_) {
      if (call->request.token_ids().ids_size() > 1) {
        to_start.push_back(call.get());
        continue;
      }
      // Nothing stands before its token that could make it likely.
      *call->response.mutable_token_ids() = call->request.token_ids().ids();
    }
    num_running_ = static_cast<int64_t>(to_start.size());
  }
  for (Call* const call : to_start) {
    stub_.async()->Score(&call->context, &call->request, &call->response,
                         [this, call](const grpc::Status& status) {
                           absl::MutexLock lock(&mutex_);
                           call->status = FromGrpcStatus(status);
                           --num_running_;
                         });
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::ScoreResponse>> PromptScores::Wait() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &PromptScores::AllEnded));
  std::vector<v1::ScoreResponse> responses;
  for (const std::unique_ptr<Call>& call : calls_) {
    RETURN_IF_ERROR(call->status);
    responses.push_back(std::move(call->response));
  }
  return responses;
}

void PromptScores::Cancel() {
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  for (const std::unique_ptr<Call>& call : calls_) call->context.TryCancel();
}

}  // namespace hybridserve::openai
