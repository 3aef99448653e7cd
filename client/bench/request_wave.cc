#include "client/bench/request_wave.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "common/grpc_status.h"
#include "glog/logging.h"
#include "grpcpp/client_context.h"

namespace hybridserve {

// One stream. gRPC calls the reactor's functions one at a time.
class RequestWave::Call final
    : public grpc::ClientReadReactor<v1::GenerateStreamResponse> {
 public:
  Call(RequestWave& wave, size_t index, v1::GenerateStreamRequest request)
      : wave_(wave), index_(index), request_(std::move(request)) {}

  void Start() {
    wave_.stub_->async()->GenerateStream(&context_, &request_, this);
    StartRead(&message_);
    StartCall();
  }
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    const absl::Time now = absl::Now();
    if (message_.has_accepted()) {
      absl::MutexLock lock(&wave_.mutex_);
      ++wave_.accepted_;
    } else if (message_.has_token_output()) {
      TakeTokens(message_.token_output().token_ids_size(), now);
    }
    StartRead(&message_);
  }

  void OnDone(const grpc::Status& status) override {
    absl::MutexLock lock(&wave_.mutex_);
    ++wave_.done_;
    if (wave_.error_.ok()) wave_.error_ = FromGrpcStatus(status);
  }

 private:
  void TakeTokens(int count, absl::Time now) {
    if (count == 0) return;
    absl::MutexLock lock(&wave_.mutex_);
    Arrivals& arrivals = wave_.arrivals_[index_];
    if (arrivals.empty()) ++wave_.started_;
    arrivals.insert(arrivals.end(), count, now);
    wave_.longest_ =
        std::max(wave_.longest_, static_cast<int64_t>(arrivals.size()));
  }

  RequestWave& wave_;
  const size_t index_;
  const v1::GenerateStreamRequest request_;
  grpc::ClientContext context_;
  v1::GenerateStreamResponse message_;
};

RequestWave::RequestWave(std::shared_ptr<grpc::Channel> channel,
                         std::vector<v1::GenerateStreamRequest> requests)
    : stub_(v1::InferenceService::NewStub(std::move(channel))),
      sent_at_(absl::Now()),
      arrivals_(requests.size()) {
  CHECK(!requests.empty());
  for (v1::GenerateStreamRequest& request : requests) {
    calls_.push_back(
        std::make_unique<Call>(*this, calls_.size(), std::move(request)));
  }
  for (const std::unique_ptr<Call>& call : calls_) call->Start();
}

RequestWave::~RequestWave() {
  for (const std::unique_ptr<Call>& call : calls_) call->Cancel();
  absl::MutexLock lock(&mutex_);
  const auto all_done = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return done_ == static_cast<int64_t>(calls_.size());
  };
  mutex_.Await(absl::Condition(&all_done));
}

template <typename Condition>
absl::Status RequestWave::Await(Condition holds) {
  absl::MutexLock lock(&mutex_);
  const auto over = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !error_.ok() || holds();
  };
  mutex_.Await(absl::Condition(&over));
  return error_;
}

absl::Status RequestWave::WaitUntilAccepted() {
  return Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return accepted_ == static_cast<int64_t>(calls_.size());
  });
}

absl::Status RequestWave::WaitUntilStarted(int64_t count) {
  return Await([this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return started_ >= count || done_ > 0;
  });
}

absl::Status RequestWave::WaitUntilSomeHas(int64_t tokens) {
  return Await([this, tokens]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return longest_ >= tokens || done_ > 0;
  });
}

absl::Status RequestWave::WaitUntilDone() {
  return Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return done_ == static_cast<int64_t>(calls_.size());
  });
}

int64_t RequestWave::longest() const {
  absl::MutexLock lock(&mutex_);
  return longest_;
}

int64_t RequestWave::started() const {
  absl::MutexLock lock(&mutex_);
  return started_;
}

std::vector<RequestWave::Arrivals> RequestWave::arrivals() const {
  absl::MutexLock lock(&mutex_);
  return arrivals_;
}

}  // namespace hybridserve
