#include "tests/load/load_call.h"

#include <atomic>
#include <utility>

#include "absl/time/clock.h"
#include "common/grpc_status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "grpcpp/support/status.h"
#include "tests/load/load_model.h"
#include "tests/load/token_chain.h"

namespace hybridserve {
namespace {

// GenerateRequest or GenerateStreamRequest.
template <typename Message>
void Fill(const LoadRequest& request, Message& message) {
  message.set_prompt(request.prompt);
  message.mutable_stopping()->set_max_tokens(
      static_cast<uint32_t>(request.max_tokens));
  message.mutable_stopping()->set_ignore_eos(true);
}

// What both kinds of call do.
class BaseCall : public LoadCall {
 public:
  BaseCall(LoadRequest request, LoadListener& listener)
      : request_(std::move(request)),
        listener_(listener),
        chain_(ChainOfPrompt(request_.prompt)) {
    outcome_.sent = absl::Now();
    if (request_.attempts == 0) request_.first_sent = outcome_.sent;
    if (request_.deadline != absl::InfiniteDuration()) {
      context_.set_deadline(
          absl::ToChronoTime(outcome_.sent + request_.deadline));
    }
  }

  void Cancel() override {
    cancelled_ = true;
    context_.TryCancel();
  }

 protected:
  // The rest: one of gRPC's threads at a time.
  void TakeTokens(const google::protobuf::RepeatedField<uint32_t>& ids) {
    if (ids.empty()) return;
    if (outcome_.tokens == 0) outcome_.first_token = absl::Now();
    outcome_.tokens += ids.size();
    for (const uint32_t id : ids) {
      const int32_t expected = chain_.Next();
      outcome_.wrong |= static_cast<int32_t>(id) != expected;
      chain_.Append(expected);
    }
    listener_.OnTokens(ids.size());
  }

  void TakeEnd(v1::FinishReason reason, const v1::Usage& usage) {
    outcome_.prompt_tokens = usage.prompt_tokens();
    outcome_.wrong |= outcome_.tokens != request_.max_tokens ||
                      reason != v1::FINISH_REASON_LENGTH;
    has_end_ = true;
  }

  void End(const grpc::Status& status) {
    outcome_.ended = absl::Now();
    outcome_.status = FromGrpcStatus(status);
    outcome_.cancelled = !status.ok() && cancelled_;
    // A cancel or a deadline may come between the last event and the status.
    outcome_.wrong |= status.ok() && !has_end_;
    outcome_.accepted |= has_end_ || outcome_.tokens > 0;
    listener_.OnEnded(std::move(request_), outcome_);
  }

  LoadRequest request_;
  LoadListener& listener_;
  grpc::ClientContext context_;
  TokenChain chain_;
  LoadOutcome outcome_;

 private:
  bool has_end_ = false;
  std::atomic<bool> cancelled_{false};
};

class UnaryCall final : public BaseCall {
 public:
  using BaseCall::BaseCall;

  void Begin(v1::InferenceService::Stub& stub,
             std::shared_ptr<UnaryCall> self) {
    Fill(request_, message_);
    stub.async()->Generate(&context_, &message_, &response_,
                           [self = std::move(self)](grpc::Status status) {
                             self->OnDone(status);
                           });
  }

 private:
  void OnDone(const grpc::Status& status) {
    if (status.ok()) {
      TakeTokens(response_.token_ids());
      TakeEnd(response_.finish_reason(), response_.usage());
    }
    End(status);
  }

  v1::GenerateRequest message_;
  v1::GenerateResponse response_;
};

class StreamingCall final
    : public BaseCall,
      public grpc::ClientReadReactor<v1::GenerateStreamResponse> {
 public:
  StreamingCall(LoadRequest request, TimerQueue& timers, LoadListener& listener)
      : BaseCall(std::move(request), listener), timers_(timers) {}

  void Begin(v1::InferenceService::Stub& stub,
             std::shared_ptr<StreamingCall> self) {
    self_ = std::move(self);
    Fill(request_, message_);
    stub.async()->GenerateStream(&context_, &message_, this);
    // A slow reader's reads come from the timers' thread.
    AddHold();
    StartRead(&event_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      RemoveHold();
      return;
    }
    Take();
    if (request_.read_pause > absl::ZeroDuration()) {
      timers_.At(absl::Now() + request_.read_pause,
                 [self = self_] { self->StartRead(&self->event_); });
    } else {
      StartRead(&event_);
    }
  }

  void OnDone(const grpc::Status& status) override {
    End(status);
    const std::shared_ptr<StreamingCall> last = std::move(self_);
  }

 private:
  void Take() {
    switch (event_.event_case()) {
      case v1::GenerateStreamResponse::kAccepted:
        outcome_.accepted = true;
        break;
      case v1::GenerateStreamResponse::kTokenOutput:
        TakeTokens(event_.token_output().token_ids());
        break;
      case v1::GenerateStreamResponse::kResumed:
        ++outcome_.resumed;
        break;
      case v1::GenerateStreamResponse::kFinished:
        TakeEnd(event_.finished().reason(), event_.usage());
        break;
      case v1::GenerateStreamResponse::EVENT_NOT_SET:
        break;  // One that this client does not know.
    }
  }

  TimerQueue& timers_;
  v1::GenerateStreamRequest message_;
  v1::GenerateStreamResponse event_;
  std::shared_ptr<StreamingCall> self_;  // Until OnDone().
};

}  // namespace

std::weak_ptr<LoadCall> StartLoadCall(v1::InferenceService::Stub& stub,
                                      LoadRequest request, TimerQueue& timers,
                                      LoadListener& listener) {
  std::weak_ptr<LoadCall> started;
  const absl::Duration cancel_after = request.cancel_after;
  if (request.streams) {
    auto call =
        std::make_shared<StreamingCall>(std::move(request), timers, listener);
    started = call;
    call->Begin(stub, call);
  } else {
    auto call = std::make_shared<UnaryCall>(std::move(request), listener);
    started = call;
    call->Begin(stub, call);
  }
  if (cancel_after != absl::InfiniteDuration()) {
    timers.At(absl::Now() + cancel_after, [started] {
      if (const auto call = started.lock()) call->Cancel();
    });
  }
  return started;
}

}  // namespace hybridserve
