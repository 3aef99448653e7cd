#ifndef HYBRIDSERVE_TESTS_LOAD_LOAD_TOTALS_H_
#define HYBRIDSERVE_TESTS_LOAD_LOAD_TOTALS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "tests/load/load_request.h"

namespace hybridserve {

// Adds up what becomes of requests. Thread-safe.
class LoadTotals {
 public:
  // Seconds of the timeline are counted from `start`.
  explicit LoadTotals(absl::Time start) : start_(start) {}

  // A request was sent, so long after the moment it was meant for.
  void CountSent(absl::Duration lag);
  void CountTokens(int64_t count, absl::Time now);
  // An attempt ended; `will_retry`: not the request's last one.
  void Count(const LoadRequest& request, const LoadOutcome& outcome,
             bool will_retry);

  // All of it, times in seconds:
  //   sent, finished, refused, cancelled, failed   requests, once each; sent is
  //                     the sum of the others and of those that never ended
  //   retries           attempts beyond the first
  //   refusals          attempts refused; those without RetryInfo among them:
  //                     refusals_without_retry_info
  //   wrong, resumed, prompt_tokens, completion_tokens
  //   codes             requests' last statuses by name
  //   latency, first_token   of finished requests, from their last attempt on
  //   total_latency     from the first attempt on
  //   refusal_latency, send_lag, retry_delay
  //   timeline          tokens, finished and refusals in each second
  nlohmann::json ToJson() const;

 private:
  struct Second {
    int64_t tokens = 0;
    int64_t finished = 0;
    int64_t refusals = 0;
  };

  Second& SecondOf(absl::Time time) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountRefusal(const LoadOutcome& outcome)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountFinished(const LoadRequest& request, const LoadOutcome& outcome)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const absl::Time start_;
  mutable absl::Mutex mutex_;
  absl::btree_map<std::string, int64_t> counts_ ABSL_GUARDED_BY(mutex_);
  absl::btree_map<std::string, int64_t> codes_ ABSL_GUARDED_BY(mutex_);
  // Durations by name, in seconds.
  absl::btree_map<std::string, std::vector<double>> times_
      ABSL_GUARDED_BY(mutex_);
  std::vector<Second> timeline_ ABSL_GUARDED_BY(mutex_);
};

// count, mean, p50, p90, p99, max, and a histogram: how many are at most each
// power of two of a millisecond. Only count where there are none.
nlohmann::json Summarize(std::vector<double> seconds);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_TESTS_LOAD_LOAD_TOTALS_H_
