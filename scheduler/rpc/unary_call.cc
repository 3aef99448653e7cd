#include "scheduler/rpc/unary_call.h"

#include <optional>
#include <utility>

#include "common/grpc_status.h"
#include "grpcpp/support/status.h"
#include "scheduler/rpc/call_identity.h"
#include "scheduler/rpc/message_bytes.h"
#include "scheduler/rpc/output_proto.h"

namespace hybridserve {

void GenerateCall::Start(const CallIdentity& identity,
                         absl::StatusOr<PreparedRequest> prepared,
                         std::chrono::system_clock::time_point deadline) {
  response_.set_request_id(identity.request_id);
  call_.Submit(identity, std::move(prepared), deadline, *this);
}

void GenerateCall::OnOutput(OutputPart part) {
  response_.mutable_token_ids()->Add(part.token_ids.begin(),
                                     part.token_ids.end());
  response_.mutable_log_probs()->Add(part.log_probs.begin(),
                                     part.log_probs.end());
  for (const std::vector<TopToken>& top : part.top) {
    *response_.add_top_log_probs() = TopLogProbsToProto(top);
  }
  response_.mutable_text()->append(part.text);
}

void GenerateCall::OnEnd(const OutputEnd& end) {
  response_.set_finish_reason(FinishReasonToProto(end.reason));
  if (auto match = StopMatchToProto(end); match.has_value()) {
    *response_.mutable_stop_match() = *std::move(match);
  }
  *response_.mutable_usage() = UsageToProto(end.usage);
  *response_bytes_ = SerializeMessage(response_);
  context_.AddInitialMetadata(kRequestIdMetadata, response_.request_id());
  Finish(grpc::Status::OK);
}

void GenerateCall::OnError(const absl::Status& status) {
  context_.AddTrailingMetadata(kRequestIdMetadata, response_.request_id());
  Finish(ToGrpcStatus(status));
}

void ScoreCall::Start(const CallIdentity& identity,
                      absl::StatusOr<PreparedRequest> prepared,
                      std::chrono::system_clock::time_point deadline) {
  response_.set_request_id(identity.request_id);
  if (prepared.ok()) {
    response_.mutable_token_ids()->Add(prepared->request.prompt.begin(),
                                       prepared->request.prompt.end());
  }
  call_.Submit(identity, std::move(prepared), deadline, *this);
}

void ScoreCall::OnScores(const std::vector<TokenScore>& scores) {
  for (const TokenScore& score : scores) {
    response_.add_log_probs(score.log_prob);
    response_.add_top_token_ids(static_cast<uint32_t>(score.top_token));
    response_.add_top_log_probs(score.top_log_prob);
  }
}

void ScoreCall::OnEnd(const OutputEnd& end) {
  if (end.reason == FinishReason::kCancelled) {
    return OnError(absl::CancelledError("the request was cancelled"));
  }
  *response_bytes_ = SerializeMessage(response_);
  context_.AddInitialMetadata(kRequestIdMetadata, response_.request_id());
  Finish(grpc::Status::OK);
}

void ScoreCall::OnError(const absl::Status& status) {
  context_.AddTrailingMetadata(kRequestIdMetadata, response_.request_id());
  Finish(ToGrpcStatus(status));
}

}  // namespace hybridserve
