#ifndef HYBRIDSERVE_CLIENT_BENCH_REQUEST_WAVE_H_
#define HYBRIDSERVE_CLIENT_BENCH_REQUEST_WAVE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"

namespace hybridserve {

// Some requests sent at once, and when their tokens came. Thread-safe.
class RequestWave {
 public:
  // When one request's tokens came, by this process's clock.
  using Arrivals = std::vector<absl::Time>;

  // Sends `requests`, in order. At least one.
  RequestWave(std::shared_ptr<grpc::Channel> channel,
              std::vector<v1::GenerateStreamRequest> requests);
  RequestWave(const RequestWave&) = delete;
  RequestWave& operator=(const RequestWave&) = delete;
  // Cancels what still runs and waits for it.
  ~RequestWave();

  // Each waits until that holds, or until a request has failed: its error.
  //
  // The server has taken all requests.
  absl::Status WaitUntilAccepted();
  // `count` requests have had a token, or one is finished.
  absl::Status WaitUntilStarted(int64_t count);
  // Some request has had `tokens` tokens, or is finished.
  absl::Status WaitUntilSomeHas(int64_t tokens);
  absl::Status WaitUntilDone();

  // The most tokens that a request has had.
  int64_t longest() const;
  // Requests that have had a token.
  int64_t started() const;
  absl::Time sent_at() const { return sent_at_; }
  // By request, in order.
  std::vector<Arrivals> arrivals() const;

 private:
  class Call;

  // Waits for a condition on the guarded members.
  template <typename Condition>
  absl::Status Await(Condition holds);

  const std::unique_ptr<v1::InferenceService::Stub> stub_;
  const absl::Time sent_at_;
  mutable absl::Mutex mutex_;
  std::vector<Arrivals> arrivals_ ABSL_GUARDED_BY(mutex_);
  int64_t accepted_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t started_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t longest_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t done_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);  // The first.
  // Last: they use the rest until they are done.
  std::vector<std::unique_ptr<Call>> calls_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BENCH_REQUEST_WAVE_H_
