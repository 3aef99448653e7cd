#ifndef HYBRIDSERVE_CLIENT_OPENAI_TESTING_FAKE_INFERENCE_SERVICE_H_
#define HYBRIDSERVE_CLIENT_OPENAI_TESTING_FAKE_INFERENCE_SERVICE_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "grpcpp/server.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"

namespace hybridserve::openai {

// A server on a loopback port that does what a prompt says:
//
//   "N"      N tokens, with ids 0, 1, ...; log-prob -id
//   "none"   NOT_FOUND
//   "break"  one token, then INTERNAL
//   "abort"  one token, then FINISH_REASON_CANCELLED
//   "pause"  one token, another one when Resume() is called
//   "wait"   one token, then nothing until it is cancelled
//
// Their texts are "<ID>". The text "N" has N tokens, 0 to N - 1. A token's
// score is -ID; the likeliest in its place is ID / 2. Thread-safe.
class FakeInferenceService final : public v1::InferenceService::Service {
 public:
  FakeInferenceService();
  ~FakeInferenceService() override;

  v1::InferenceService::Stub& stub() { return *stub_; }

  // Of the last GenerateStream call.
  std::map<std::string, std::string> metadata();
  void Resume() { resume_.Notify(); }
  // Of one "wait".
  void WaitUntilCancelled() { cancelled_.WaitForNotification(); }

  grpc::Status GenerateStream(
      grpc::ServerContext* context, const v1::GenerateStreamRequest* request,
      grpc::ServerWriter<v1::GenerateStreamResponse>* writer) override;
  grpc::Status Detokenize(grpc::ServerContext* context,
                          const v1::DetokenizeRequest* request,
                          v1::DetokenizeResponse* response) override;
  grpc::Status Tokenize(grpc::ServerContext* context,
                        const v1::TokenizeRequest* request,
                        v1::TokenizeResponse* response) override;
  grpc::Status Score(grpc::ServerContext* context,
                     const v1::ScoreRequest* request,
                     v1::ScoreResponse* response) override;

  // As a prompt's first id: no score comes until the call is cancelled.
  static constexpr uint32_t kScoresNever = 999;

 private:
  absl::Mutex mutex_;
  std::map<std::string, std::string> metadata_ ABSL_GUARDED_BY(mutex_);
  absl::Notification resume_;
  absl::Notification cancelled_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::InferenceService::Stub> stub_;
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_TESTING_FAKE_INFERENCE_SERVICE_H_
