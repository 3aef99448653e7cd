#ifndef HYBRIDSERVE_SCHEDULER_RPC_REQUEST_RECORDER_H_
#define HYBRIDSERVE_SCHEDULER_RPC_REQUEST_RECORDER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "scheduler/core/request.h"
#include "scheduler/rpc/call_identity.h"
#include "scheduler/rpc/request_labels.h"
#include "scheduler/rpc/request_metrics.h"

namespace hybridserve {

// Where requests are recorded; it all outlives them.
struct RecordingEnvironment {
  RequestMetrics& metrics;
  const Clock& clock;
  bool log_requests = false;  // One INFO line a request, at its end.
};

// Counts, and logs, what becomes of one request that the core has.
//
// Thread-compatible.
class RequestRecorder {
 public:
  // `request` is about to be given to the core.
  RequestRecorder(const RecordingEnvironment& environment,
                  CallIdentity identity, const GenerationRequest& request);

  // The next token is there; or the scores are, once.
  void OnToken();
  void OnScores();

  // The end, which is one of these two.
  void OnFinished(FinishReason reason, const Usage& usage);
  void OnFailed(const absl::Status& status);

 private:
  void CountPrompt();

  const RecordingEnvironment environment_;
  const CallIdentity identity_;
  const RequestLabels labels_;
  const RequestMetrics::TokenSeries token_series_;
  const int64_t prompt_tokens_;
  const absl::Time begun_;
  std::optional<absl::Time> first_token_;
  absl::Time last_token_;  // Once there is a first.
  int64_t num_tokens_ = 0;
};

// Counts, and logs, a request that was refused. No tenant: it was not known by
// then.
void RecordRefusal(const RecordingEnvironment& environment,
                   const CallIdentity& identity,
                   const std::optional<std::string>& tenant,
                   const absl::Status& status);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_REQUEST_RECORDER_H_
