#ifndef HYBRIDSERVE_CLIENT_TOP_TOP_VIEW_H_
#define HYBRIDSERVE_CLIENT_TOP_TOP_VIEW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "hybridserve/v1/control_service.pb.h"
#include "hybridserve/v1/load.pb.h"

namespace hybridserve {

// One tier's cache now.
struct TopPool {
  std::string tier;  // "host"
  int64_t half_slots = 0;
  int64_t free = 0;        // Half-slots.
  int64_t cached = 0;      // Half-slots.
  int64_t kv_blocks = 0;   // Two half-slots each.
  int64_t act_blocks = 0;  // One half-slot each.
};

// Bytes per second over a worker's link.
struct TopLinkRates {
  double weight = 0;
  double kv = 0;
  double act = 0;
  double other = 0;
  double write_back = 0;  // Device to host; the others the other way.

  double in() const { return weight + kv + act + other; }
};

// One worker: what it is, and what it did between two looks at it.
struct TopWorker {
  uint64_t id = 0;
  std::string name;
  std::string state;
  std::string device;
  std::string model;
  int64_t running = 0;  // Sequences.
  // Shares of the time between the looks, 0 to 1.
  double link_busy = 0;
  double copy_out_busy = 0;
  double compute_busy = 0;
  TopLinkRates link;
  // Positions a second.
  double prompt_tokens_per_s = 0;
  double generated_tokens_per_s = 0;
  // Of the steps that ended between the looks, on average; not set: none did.
  std::optional<double> step_s;
  std::optional<double> predicted_step_s;
  double act_ratio = 0;     // As Worker.act_ratio.
  int64_t preemptions = 0;  // Since it registered.
  std::vector<TopPool> pools;
};

// A worker that is connected and has not registered yet.
struct TopLoading {
  std::string name;
  std::string model;
  std::string stage;  // In words.
  int64_t loaded_bytes = 0;
  int64_t total_bytes = 0;
};

// A count since the start, and how much of it came between two looks.
struct TopCount {
  int64_t total = 0;
  int64_t more = 0;
};

// What `hybridserve top` shows.
struct TopView {
  double elapsed_s = 0;  // Between the looks.
  int64_t running = 0;
  int64_t waiting = 0;
  int64_t waiting_tokens = 0;
  int64_t max_requests = 0;
  int64_t max_tokens = 0;
  // All workers'.
  double prompt_tokens_per_s = 0;
  double generated_tokens_per_s = 0;
  TopCount finished;
  TopCount cancelled;
  TopCount failed;
  TopCount rejected;
  TopCount preemptions;
  TopCount replays;
  std::vector<TopWorker> workers;
  std::vector<TopLoading> loading;  // Not among the above.
};

// `now` as it is, with rates from what was added to `before`, `elapsed` > 0
// earlier. A worker that was not there before began with nothing.
// Workers that `info` says are loading are shown beside the others.
TopView MakeTopView(const v1::Load& before, const v1::Load& now,
                    const v1::GetServerInfoResponse& info,
                    absl::Duration elapsed);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_TOP_TOP_VIEW_H_
