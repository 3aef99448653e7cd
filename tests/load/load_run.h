#ifndef HYBRIDSERVE_TESTS_LOAD_LOAD_RUN_H_
#define HYBRIDSERVE_TESTS_LOAD_LOAD_RUN_H_

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"
#include "nlohmann/json.hpp"
#include "tests/load/length_distribution.h"
#include "tests/load/load_call.h"
#include "tests/load/load_request.h"
#include "tests/load/load_totals.h"
#include "tests/load/timer_queue.h"

namespace hybridserve {

struct LoadOptions {
  // Open loop: so many requests a second (Poisson), whatever becomes of them.
  // 0: closed loop, with `concurrency` in flight.
  double rate = 0;
  int64_t concurrency = 1;
  // Requests come until either is reached; 0 and infinite: not bounded by it.
  int64_t requests = 0;
  absl::Duration duration = absl::InfiniteDuration();
  // Those that have not ended so long after the last was sent are cancelled.
  absl::Duration drain_timeout = absl::Minutes(5);
  uint64_t seed = 1;

  LengthDistribution prompt_tokens = *LengthDistribution::Parse("32");
  LengthDistribution max_tokens = *LengthDistribution::Parse("16");
  double stream_share = 1;                       // The others are unary.
  double slow_share = 0;                         // Of those that stream.
  absl::Duration read_pause = absl::Seconds(1);  // Of the slow ones.
  double cancel_share = 0;
  absl::Duration cancel_after = absl::Seconds(1);  // At the latest.
  absl::Duration deadline = absl::InfiniteDuration();
  // Times that a refused request is sent again, after what RetryInfo says.
  int64_t retries = 0;
};

// A load on one server: requests whose number, kind and size come from a seed,
// over several connections. Run() once. Thread-safe inside.
class LoadRun final : private LoadListener {
 public:
  // Requests take turns on the channels, of which there is one.
  LoadRun(const LoadOptions& options,
          std::vector<std::shared_ptr<grpc::Channel>> channels);

  // Sends all, waits for their ends and returns LoadTotals' JSON, with
  // `unended` (cancelled in the end, after drain_timeout), `peak_in_flight`,
  // and `seconds` and `send_seconds`: until the last ended, and until it was
  // sent.
  nlohmann::json Run();

 private:
  void OnTokens(int64_t count) override;
  void OnEnded(LoadRequest request, const LoadOutcome& outcome) override;

  LoadRequest Make(int64_t number) const;
  // Whether one more is to come; counts it if so.
  bool TakeNumber(absl::Time now, int64_t& number) ABSL_LOCKS_EXCLUDED(mutex_);
  // Sends new requests that were meant for `due` or before, as the open loop
  // has it, and sees to the next.
  void Arrive(absl::Time due);
  void SendNext(absl::Time due);
  void Send(LoadRequest request);
  void EndOne();
  // False: `timeout` came first.
  bool WaitUntilAllEnded(absl::Duration timeout);

  const LoadOptions options_;
  std::vector<std::unique_ptr<v1::InferenceService::Stub>> stubs_;
  const absl::Time start_;
  LoadTotals totals_;
  std::mt19937_64 arrivals_;  // The timers' thread's.

  absl::Mutex mutex_;
  int64_t next_number_ ABSL_GUARDED_BY(mutex_) = 0;
  bool all_sent_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time last_sent_ ABSL_GUARDED_BY(mutex_);
  int64_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;  // Or to be sent again.
  int64_t peak_in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  bool giving_up_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<int64_t, std::weak_ptr<LoadCall>> calls_
      ABSL_GUARDED_BY(mutex_);

  TimerQueue timers_;  // Last: what it calls uses the rest.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_TESTS_LOAD_LOAD_RUN_H_
