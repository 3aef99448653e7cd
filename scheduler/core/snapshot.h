#ifndef HYBRIDSERVE_SCHEDULER_CORE_SNAPSHOT_H_
#define HYBRIDSERVE_SCHEDULER_CORE_SNAPSHOT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/cache/block_ref.h"
#include "common/ids.h"
#include "common/model_config.h"
#include "common/step_result.h"
#include "common/work_profile.h"
#include "common/worker_info.h"

namespace hybridserve {

// One tier of one worker's cache. At rest free + cached = half_slots.
struct PoolSnapshot {
  Tier tier = Tier::kHost;
  int64_t half_slots = 0;
  int64_t free = 0;            // Half-slots.
  int64_t cached = 0;          // Half-slots kept for shared prefixes.
  int64_t kv_blocks = 0;       // In use, two half-slots each.
  int64_t act_blocks = 0;      // In use, one half-slot each.
  int64_t peak_kv_blocks = 0;  // Most in use at one time.
  int64_t peak_act_blocks = 0;
};

// What a worker did since it registered.
struct WorkerTotals {
  int64_t steps = 0;
  int64_t prompt_tokens = 0;     // Prompt positions run, replays included.
  int64_t generated_tokens = 0;  // Tokens shown to clients.
  int64_t preemptions = 0;       // Sequences dropped to make room.
  int64_t converted_blocks = 0;  // ACT that became KV.
  StepStats stats;               // Sums over all steps.
};

struct WorkerSnapshot {
  WorkerId id;
  std::string name;
  uint64_t term = 0;
  uint64_t epoch = 0;
  std::string state;  // "idle", "running" or "draining".
  std::string device;
  std::string model;
  NumericsClass numerics;
  WorkerProfile profile;  // As it registered.
  WorkProfile tracked;    // Its costs as the steps so far have moved them.
  int64_t running = 0;    // Sequences.
  int64_t outstanding_plans = 0;
  double act_ratio = 0;    // Of the last admitted sequence's blocks.
  std::string mix_reason;  // Why that ratio.
  // Of the sequences that run now, by the policy; not set: it predicts none.
  std::optional<absl::Duration> predicted_step;
  std::vector<PoolSnapshot> pools;
  WorkerTotals totals;
};

struct ModelSnapshot {
  std::string name;
  std::string weights_hash;
  ModelConfig config;
  int64_t workers = 0;  // Connected now.
  // Longest prompt + max_tokens that a connected worker takes; 0 without one.
  int64_t max_request_tokens = 0;
};

// Requests since the start.
struct RequestCounts {
  int64_t accepted = 0;
  int64_t finished = 0;     // OnFinished, not cancelled.
  int64_t cancelled = 0;    // OnFinished(kCancelled).
  int64_t failed = 0;       // OnError.
  int64_t replays = 0;      // Moves to another worker.
  int64_t preemptions = 0;  // Returns to the queue to make room for others.
};

// The core's state at one moment, for status, metrics and limits.
struct SchedulerSnapshot {
  uint64_t term = 0;
  std::string policy;
  bool draining = false;
  int64_t running = 0;         // Requests on workers.
  int64_t waiting = 0;         // Requests in the queue.
  int64_t waiting_tokens = 0;  // Their prompt + max_tokens.
  int64_t max_queue_requests = 0;
  int64_t max_queue_tokens = 0;
  RequestCounts counts;
  std::vector<ModelSnapshot> models;    // By name.
  std::vector<WorkerSnapshot> workers;  // By id.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_SNAPSHOT_H_
