#ifndef HYBRIDSERVE_SCHEDULER_CORE_REQUEST_H_
#define HYBRIDSERVE_SCHEDULER_CORE_REQUEST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/sampling_params.h"
#include "common/token_score.h"
#include "common/top_token.h"
#include "scheduler/core/tenant_limits.h"
#include "scheduler/queue/request_key.h"  // IWYU pragma: export

namespace hybridserve {

// What the core is asked to do: continue a prompt of token ids, or score it.
struct GenerationRequest {
  // The client's name for it, unique among live requests; empty: none.
  std::string request_id;
  // Empty: the only model there is.
  std::string model;
  // Whose it is; tenants share the queue fairly. Empty: the common tenant.
  std::string tenant;
  TenantLimits tenant_limits;
  // Of two of a tenant's requests that wait the larger goes first.
  int32_t priority = 0;
  // At least one id; prompt + max_tokens fit the model's max positions.
  std::vector<int32_t> prompt;

  SamplingParams sampling;
  int64_t max_tokens = 128;  // >= 1
  // Stop ids (the model's and the request's) end nothing before this many
  // tokens; in [0, max_tokens].
  int64_t min_tokens = 0;
  // The model's own eos ids don't end the sequence; `stop_token_ids` still do.
  bool ignore_eos = false;
  std::vector<int32_t> stop_token_ids;

  // On the core's clock. Past it the request ends DEADLINE_EXCEEDED.
  absl::Time deadline = absl::InfiniteFuture();

  // Not empty: score the prompt instead of continuing it. One id a prompt
  // position, whose log-prob is wanted given the prompt up to and including
  // that position (-1: not wanted). Nothing is sampled; sampling, max_tokens
  // and stop ids are ignored.
  std::vector<int32_t> score_targets;

  bool is_score() const { return !score_targets.empty(); }
};

// Why a request ended well.
enum class FinishReason {
  kStop,       // A stop id, a stop string, or every target scored.
  kLength,     // max_tokens.
  kCancelled,  // By its client.
};

// What a request used.
struct Usage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  // From Submit() until a worker first took it / the first token / its end;
  // infinite where that never came.
  absl::Duration queue_time = absl::InfiniteDuration();
  absl::Duration first_token_time = absl::InfiniteDuration();
  absl::Duration total_time;
  int64_t replays = 0;  // Times it moved to another worker.
};

// A token that a request gets.
struct ProducedToken {
  int32_t id = 0;                  // Of the vocabulary.
  float log_prob = 0;              // Natural; 0 unless asked for.
  absl::Span<const TopToken> top;  // As many as asked for. Borrowed.
};

// Hears what becomes of one request. Every call comes on the core's thread;
// none may call the core (post to it instead). After OnFinished or OnError,
// exactly one of which is called, the core destroys the observer.
class RequestObserver {
 public:
  virtual ~RequestObserver() = default;

  // The request is queued behind `queue_position` others of its model, or runs
  // already (0). First, once.
  virtual void OnAccepted(int64_t queue_position) {
    static_cast<void>(queue_position);
  }

  // The next token, the one that ends the sequence included. Returns false to
  // end the request here (a stop string matched): OnFinished(kStop) follows.
  virtual bool OnToken(const ProducedToken& token) = 0;

  // A scoring request's result: of the targets that are not -1, in order. Once,
  // before OnFinished.
  virtual void OnScores(const std::vector<TokenScore>& scores) {
    static_cast<void>(scores);
  }

  // The worker was lost and another goes on: no token is lost or repeated.
  virtual void OnResumed() {}

  virtual void OnFinished(FinishReason reason, const Usage& usage) = 0;

  // Deadline passed (DEADLINE_EXCEEDED), no worker to go on with (ABORTED if
  // it had begun, UNAVAILABLE if not), or the core shuts down (UNAVAILABLE).
  virtual void OnError(const absl::Status& status) = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_REQUEST_H_
