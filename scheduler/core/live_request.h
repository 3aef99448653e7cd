#ifndef HYBRIDSERVE_SCHEDULER_CORE_LIVE_REQUEST_H_
#define HYBRIDSERVE_SCHEDULER_CORE_LIVE_REQUEST_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/ids.h"
#include "common/token_score.h"
#include "common/worker_info.h"
#include "scheduler/core/request.h"
#include "scheduler/queue/fair_lane.h"

namespace hybridserve {

// A request from its acceptance to its end: what the core knows of it. It waits
// in the queue while `worker` is unset and runs on that worker otherwise.
struct LiveRequest {
  RequestKey key;
  GenerationRequest request;
  std::unique_ptr<RequestObserver> observer;
  std::string model;  // Resolved.

  // The prompt, then the tokens that the observer has had.
  std::vector<int32_t> tokens;
  std::vector<TokenScore> scores;  // So far on this worker.

  std::optional<WorkerId> worker;
  SequenceId sequence;  // On `worker`.
  // Set once tokens were shown: only such workers give the same next ones.
  std::optional<NumericsClass> numerics;
  int64_t replays = 0;    // For want of its worker.
  bool resuming = false;  // Its worker was lost, and none has it since.

  absl::Time submitted;
  absl::Time started = absl::InfiniteFuture();  // First taken by a worker.
  absl::Time first_token = absl::InfiniteFuture();
  // When it ends for want of a worker that could take it.
  absl::Time stranded_until = absl::InfiniteFuture();
  absl::Time due = absl::InfiniteFuture();  // Its entry in the core's timers.

  int64_t num_generated() const {
    return static_cast<int64_t>(tokens.size() - request.prompt.size());
  }
  bool was_started() const { return started != absl::InfiniteFuture(); }

  // Positions that it may come to hold.
  int64_t max_positions() const {
    return static_cast<int64_t>(request.prompt.size()) +
           (request.is_score() ? 0 : request.max_tokens);
  }
  // As the queue knows it.
  WaitingRequest waiting() const {
    return {.key = key,
            .tenant = request.tenant,
            .priority = request.priority,
            .tokens = max_positions()};
  }
  // Cached positions on average over its life; what the mix is chosen for.
  double mean_context() const {
    return static_cast<double>(request.prompt.size()) +
           (request.is_score() ? 0.0
                               : 0.5 * static_cast<double>(request.max_tokens));
  }

  Usage UsageAt(absl::Time now) const {
    return {.prompt_tokens = static_cast<int64_t>(request.prompt.size()),
            .completion_tokens = num_generated(),
            .queue_time = started - submitted,
            .first_token_time = first_token - submitted,
            .total_time = now - submitted,
            .replays = replays};
  }
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_LIVE_REQUEST_H_
