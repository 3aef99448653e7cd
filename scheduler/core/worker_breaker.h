#ifndef HYBRIDSERVE_SCHEDULER_CORE_WORKER_BREAKER_H_
#define HYBRIDSERVE_SCHEDULER_CORE_WORKER_BREAKER_H_

#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hybridserve {

// A circuit breaker: sets aside workers that come and fail again and again, so
// that requests don't go to them over and over. Workers are known by name.
//
// Thread-compatible.
class WorkerBreaker {
 public:
  struct Options {
    // So many failures without a success in between set a worker aside.
    int64_t most_failures = 3;
    // For so long the first time, and twice as long each time after.
    absl::Duration first_rest = absl::Seconds(10);
    absl::Duration longest_rest = absl::Minutes(10);
    // Names remembered at most; one whose failure is oldest is forgotten first.
    int64_t most_names = 1024;
  };

  explicit WorkerBreaker(const Options& options);

  // OK, or UNAVAILABLE (RetryDelayOf()) while `name` is set aside.
  absl::Status Check(absl::string_view name, absl::Time now) const;

  void CountFailure(absl::string_view name, absl::Time now);
  void CountSuccess(absl::string_view name);

 private:
  struct Record {
    int64_t failures = 0;
    absl::Time last_failure;
    absl::Time set_aside_until = absl::InfinitePast();
  };

  void ForgetOldest();

  const Options options_;
  absl::btree_map<std::string, Record> records_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_CORE_WORKER_BREAKER_H_
