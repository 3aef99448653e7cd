#include "scheduler/rpc/stream_call.h"

#include <utility>

#include "common/grpc_status.h"
#include "grpcpp/support/status.h"
#include "scheduler/rpc/call_identity.h"
#include "scheduler/rpc/message_bytes.h"
#include "scheduler/rpc/output_proto.h"

namespace hybridserve {
namespace {

void Append(const v1::TokenOutput& more, v1::TokenOutput& output) {
  output.mutable_token_ids()->MergeFrom(more.token_ids());
  output.mutable_log_probs()->MergeFrom(more.log_probs());
  output.mutable_top_log_probs()->MergeFrom(more.top_log_probs());
  output.mutable_text_delta()->append(more.text_delta());
}

}  // namespace

void StreamCall::Start(const CallIdentity& identity,
                       absl::StatusOr<PreparedRequest> prepared,
                       std::chrono::system_clock::time_point deadline) {
  request_id_ = identity.request_id;
  call_.Submit(identity, std::move(prepared), deadline, *this);
}

void StreamCall::OnAccepted(int64_t queue_position) {
  accepted_ = true;
  context_.AddInitialMetadata(kRequestIdMetadata, request_id_);
  v1::GenerateStreamResponse event;
  event.mutable_accepted()->set_queue_position(
      static_cast<uint32_t>(queue_position));
  Push(std::move(event));
}

void StreamCall::OnOutput(OutputPart part) {
  v1::GenerateStreamResponse event;
  v1::TokenOutput& output = *event.mutable_token_output();
  output.mutable_token_ids()->Add(part.token_ids.begin(), part.token_ids.end());
  output.set_text_delta(std::move(part.text));
  output.mutable_log_probs()->Add(part.log_probs.begin(), part.log_probs.end());
  for (const std::vector<TopToken>& top : part.top) {
    *output.add_top_log_probs() = TopLogProbsToProto(top);
  }
  Push(std::move(event));
}

void StreamCall::OnResumed(int64_t completion_tokens) {
  v1::GenerateStreamResponse event;
  event.mutable_resumed()->set_completion_tokens(
      static_cast<uint32_t>(completion_tokens));
  Push(std::move(event));
}

void StreamCall::OnEnd(const OutputEnd& end) {
  v1::GenerateStreamResponse event;
  v1::Finished& finished = *event.mutable_finished();
  finished.set_reason(FinishReasonToProto(end.reason));
  if (auto match = StopMatchToProto(end); match.has_value()) {
    *finished.mutable_stop_match() = *std::move(match);
  }
  *event.mutable_usage() = UsageToProto(end.usage);
  // Together, or the call could end between the two.
  event.set_request_id(request_id_);
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    pending_.push_back(std::move(event));
    end_ = absl::OkStatus();
  });
}

void StreamCall::OnError(const absl::Status& status) {
  if (!accepted_) context_.AddTrailingMetadata(kRequestIdMetadata, request_id_);
  End(status);
}

void StreamCall::OnWriteDone(bool ok) {
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    writing_ = false;
    broken_ = broken_ || !ok;
  });
}

void StreamCall::Push(v1::GenerateStreamResponse event) {
  event.set_request_id(request_id_);
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool joins = !pending_.empty() && event.has_token_output() &&
                       pending_.back().has_token_output();
    if (joins) {
      Append(event.token_output(), *pending_.back().mutable_token_output());
    } else {
      pending_.push_back(std::move(event));
    }
  });
}

void StreamCall::End(absl::Status status) {
  Change([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    end_ = std::move(status);
  });
}

void StreamCall::Change(absl::FunctionRef<void()> change) {
  Due due;
  {
    absl::MutexLock lock(&mutex_);
    change();
    due = TakeDue();
  }
  // Unlocked: gRPC may call back from within, and delete this. Where nothing is
  // due, another thread may have had it deleted already.
  if (due.event.has_value()) {
    current_ = SerializeMessage(*due.event);
    StartWrite(&current_);
  } else if (due.end.has_value()) {
    Finish(ToGrpcStatus(*due.end));
  }
}

StreamCall::Due StreamCall::TakeDue() {
  if (writing_) return {};
  if (broken_) pending_.clear();
  Due due;
  if (WaitsForMore()) return {};
  if (!pending_.empty()) {
    begun_ = begun_ || pending_.front().has_token_output();
    due.event = std::move(pending_.front());
    pending_.pop_front();
  } else if (end_.has_value()) {
    due.end = end_;
  } else {
    return {};
  }
  writing_ = true;
  return due;
}

bool StreamCall::WaitsForMore() const {
  if (!begun_ || end_.has_value() || pending_.size() != 1) return false;
  const v1::GenerateStreamResponse& event = pending_.front();
  return event.has_token_output() &&
         event.token_output().token_ids_size() < interval_;
}

}  // namespace hybridserve
