#ifndef HYBRIDSERVE_SCHEDULER_RPC_TEXT_OBSERVER_H_
#define HYBRIDSERVE_SCHEDULER_RPC_TEXT_OBSERVER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/core/request.h"
#include "scheduler/rpc/generation_sink.h"
#include "scheduler/rpc/prepared_request.h"
#include "scheduler/rpc/request_recorder.h"
#include "scheduler/tokenizer/stop_matcher.h"
#include "scheduler/tokenizer/streaming_decoder.h"

namespace hybridserve {

// Makes text of a request's tokens and ends it where a stop text appears.
// Holds back what may still become a character or a stop text, and hands it
// over before the end. Errors get their details (request_error.h).
//
// Thread-compatible: the core's thread calls it.
class TextObserver final : public RequestObserver {
 public:
  // Keeps prepared.model. `sink` outlives the request. InvalidArgument as
  // StopMatcher::Create(); FailedPrecondition for stop texts where the model
  // has no tokenizer.
  static absl::StatusOr<std::unique_ptr<TextObserver>> Create(
      const PreparedRequest& prepared, RequestRecorder recorder,
      GenerationSink& sink);

  void OnAccepted(int64_t queue_position) override;
  bool OnToken(const ProducedToken& token) override;
  void OnScores(const std::vector<TokenScore>& scores) override;
  void OnResumed() override;
  void OnFinished(FinishReason reason, const Usage& usage) override;
  void OnError(const absl::Status& status) override;

 private:
  TextObserver(const PreparedRequest& prepared, StopMatcher stop_matcher,
               RequestRecorder recorder, GenerationSink& sink);

  const std::string request_id_;
  const std::shared_ptr<const ServedModel> model_;  // See PreparedRequest.
  const std::vector<std::string> stop_texts_;
  const bool want_log_probs_;
  const bool want_top_log_probs_;
  std::optional<StreamingDecoder> decoder_;  // Without a tokenizer: none.
  StopMatcher stop_matcher_;
  RequestRecorder recorder_;
  GenerationSink& sink_;
  std::optional<int> stop_;  // Index in stop_texts_.
  std::optional<int32_t> last_token_;
  int64_t num_tokens_ = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_TEXT_OBSERVER_H_
