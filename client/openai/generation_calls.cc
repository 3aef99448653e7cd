#include "client/openai/generation_calls.h"

#include <utility>

#include "common/grpc_status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"

namespace hybridserve::openai {

// One call. gRPC's threads put what comes into the group's sequence; the next
// message is asked for when that one is taken. A hold keeps the call from
// ending between the two.
class GenerationCalls::Call final
    : public grpc::ClientReadReactor<v1::GenerateStreamResponse> {
 public:
  Call(GenerationCalls& group, int64_t index, v1::GenerateStreamRequest request)
      : group_(group), index_(index), request_(std::move(request)) {}

  void Start(v1::InferenceService::Stub& stub, const CallMetadata& metadata,
             absl::Time deadline) {
    metadata.AddTo(context_);
    if (deadline != absl::InfiniteFuture()) {
      context_.set_deadline(absl::ToChronoTime(deadline));
    }
    stub.async()->GenerateStream(&context_, &request_, this);
    AddHold();
    StartRead(&message_);
    StartCall();
  }

  // Once the message before was taken.
  void ReadNext() { StartRead(&message_); }

  void Cancel() { context_.TryCancel(); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      RemoveHold();
      return;
    }
    group_.Push({.call = index_, .message = std::move(message_)});
  }

  // The group may be gone after this.
  void OnDone(const grpc::Status& status) override {
    group_.Push(
        {.call = index_, .ended = true, .status = FromGrpcStatus(status)});
  }

  GenerationCalls& group_;
  const int64_t index_;
  const v1::GenerateStreamRequest request_;
  grpc::ClientContext context_;
  v1::GenerateStreamResponse message_;
};

GenerationCalls::GenerationCalls(
    v1::InferenceService::Stub& stub, const CallMetadata& metadata,
    absl::Time deadline, std::vector<v1::GenerateStreamRequest> requests) {
  for (v1::GenerateStreamRequest& request : requests) {
    calls_.push_back(std::make_unique<Call>(*this, size(), std::move(request)));
  }
  // All are there before the first can say anything.
  for (const auto& call : calls_) call->Start(stub, metadata, deadline);
}

GenerationCalls::~GenerationCalls() {
  Cancel();
  // Messages that nobody took hold their calls.
  while (!all_ended()) Next(absl::InfiniteFuture());
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &GenerationCalls::AllDone));
}

std::optional<GenerationCalls::Event> GenerationCalls::Next(
    absl::Time deadline) {
  if (all_ended()) return std::nullopt;
  std::optional<Event> event;
  {
    absl::MutexLock lock(&mutex_);
    if (!mutex_.AwaitWithDeadline(
            absl::Condition(this, &GenerationCalls::HasEvent), deadline)) {
      return std::nullopt;
    }
    event = std::move(events_.front());
    events_.pop_front();
  }
  if (event->ended) {
    ++num_ended_;
  } else {
    calls_[event->call]->ReadNext();
  }
  return event;
}

void GenerationCalls::Cancel() {
  for (const auto& call : calls_) call->Cancel();
}

void GenerationCalls::Push(Event event) {
  absl::MutexLock lock(&mutex_);
  if (event.ended) ++num_done_;
  events_.push_back(std::move(event));
}

}  // namespace hybridserve::openai
