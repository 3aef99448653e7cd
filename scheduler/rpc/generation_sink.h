#ifndef HYBRIDSERVE_SCHEDULER_RPC_GENERATION_SINK_H_
#define HYBRIDSERVE_SCHEDULER_RPC_GENERATION_SINK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "scheduler/core/request.h"

namespace hybridserve {

// More of an output: ids, and the text that can be shown for certain.
struct OutputPart {
  std::vector<int32_t> token_ids;
  std::string text;              // Valid UTF-8.
  std::vector<float> log_probs;  // One a token, if asked for.
  // One a token, if asked for.
  std::vector<std::vector<TopToken>> top;
};

// How an output ended.
struct OutputEnd {
  FinishReason reason = FinishReason::kStop;
  // With kStop, one of them.
  std::optional<std::string> stop_text;
  std::optional<int32_t> stop_token_id;
  Usage usage;
};

// Where a request's output goes: to a call. Called from the core's thread, or
// by the thread that submits the request if the core has stopped; must not
// block. OnEnd or OnError is called once, as the last.
class GenerationSink {
 public:
  virtual ~GenerationSink() = default;

  virtual void OnAccepted(int64_t queue_position) {
    static_cast<void>(queue_position);
  }
  virtual void OnOutput(OutputPart part) = 0;
  virtual void OnScores(const std::vector<TokenScore>& scores) {
    static_cast<void>(scores);
  }
  // `completion_tokens` came before.
  virtual void OnResumed(int64_t completion_tokens) {
    static_cast<void>(completion_tokens);
  }
  virtual void OnEnd(const OutputEnd& end) = 0;
  virtual void OnError(const absl::Status& status) = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_GENERATION_SINK_H_
