#ifndef HYBRIDSERVE_CLIENT_OPENAI_PROMPT_SCORES_H_
#define HYBRIDSERVE_CLIENT_OPENAI_PROMPT_SCORES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/openai/call_metadata.h"
#include "client/openai/completion_request.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"

namespace hybridserve::openai {

// How likely the model finds prompts, asked of the server for one HTTP request.
//
// Cancel() is thread-safe; all else is for one thread.
class PromptScores {
 public:
  // `stub` outlives this.
  PromptScores(v1::InferenceService::Stub& stub, CallMetadata metadata,
               absl::Time deadline, std::string model);
  PromptScores(const PromptScores&) = delete;
  PromptScores& operator=(const PromptScores&) = delete;
  // Cancels, and waits for the calls to end.
  ~PromptScores();

  // Asks for all. Texts get the special tokens that they get as prompts, and
  // are tokenized first: the error of that. Once.
  absl::Status Start(absl::Span<const Prompt> prompts);

  // What came of them, in their order, once it is there; a prompt of one token
  // has that alone. The first error otherwise. Once.
  absl::StatusOr<std::vector<v1::ScoreResponse>> Wait();

  // Wait() ends soon with an error, unless all had ended.
  void Cancel();

 private:
  struct Call;

  bool AllEnded() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return num_running_ == 0;
  }

  v1::InferenceService::Stub& stub_;
  const CallMetadata metadata_;
  const absl::Time deadline_;
  const std::string model_;
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Call>> calls_ ABSL_GUARDED_BY(mutex_);
  int64_t num_running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_PROMPT_SCORES_H_
