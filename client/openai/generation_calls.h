#ifndef HYBRIDSERVE_CLIENT_OPENAI_GENERATION_CALLS_H_
#define HYBRIDSERVE_CLIENT_OPENAI_GENERATION_CALLS_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/openai/call_metadata.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"

namespace hybridserve::openai {

// Several GenerateStream calls at once, as one sequence of events.
//
// Of each call one message is held that nobody has taken: a reader that is slow
// slows the calls, and the server joins what it could not send.
//
// Cancel() is thread-safe; all else is for one thread.
class GenerationCalls {
 public:
  // A message of a call, or its end.
  struct Event {
    int64_t call = 0;  // Index of its request.
    bool ended = false;
    absl::Status status;  // With `ended`.
    v1::GenerateStreamResponse message;
  };

  // Starts them all. `stub` outlives this.
  GenerationCalls(v1::InferenceService::Stub& stub,
                  const CallMetadata& metadata, absl::Time deadline,
                  std::vector<v1::GenerateStreamRequest> requests);
  GenerationCalls(const GenerationCalls&) = delete;
  GenerationCalls& operator=(const GenerationCalls&) = delete;
  // Cancels, and waits for the calls to end.
  ~GenerationCalls();

  // The next event, whichever call's. Nothing once all have ended, or if none
  // comes by `deadline`.
  std::optional<Event> Next(absl::Time deadline);

  // All calls' ends have been taken.
  bool all_ended() const { return num_ended_ == size(); }
  int64_t size() const { return static_cast<int64_t>(calls_.size()); }

  // All calls end soon, with an error unless they had ended.
  void Cancel();

 private:
  class Call;

  void Push(Event event);
  bool HasEvent() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !events_.empty();
  }
  bool AllDone() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return num_done_ == size();
  }

  std::vector<std::unique_ptr<Call>> calls_;
  int64_t num_ended_ = 0;
  absl::Mutex mutex_;
  std::deque<Event> events_ ABSL_GUARDED_BY(mutex_);
  int64_t num_done_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_GENERATION_CALLS_H_
