#ifndef HYBRIDSERVE_TESTS_LOAD_LOAD_REQUEST_H_
#define HYBRIDSERVE_TESTS_LOAD_LOAD_REQUEST_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace hybridserve {

// One request of a load, and how its client behaves. Plain data.
struct LoadRequest {
  int64_t number = 0;
  std::string prompt;  // Its ids, bos included: one more than its bytes.
  int64_t max_tokens = 1;
  bool streams = true;
  // A slow reader waits so long before each further event.
  absl::Duration read_pause;
  // It is cancelled so long after it was sent.
  absl::Duration cancel_after = absl::InfiniteDuration();
  absl::Duration deadline = absl::InfiniteDuration();
  int64_t attempts = 0;                          // Before this one.
  absl::Time first_sent = absl::InfinitePast();  // Of the first attempt.
};

// What became of an attempt.
struct LoadOutcome {
  absl::Status status;     // OK: finished.
  bool accepted = false;   // As far as is known: a unary call's end says.
  bool cancelled = false;  // By its client, before its end.
  absl::Time sent;
  absl::Time first_token = absl::InfiniteFuture();
  absl::Time ended;
  int64_t prompt_tokens = 0;  // By the usage.
  int64_t tokens = 0;         // That came.
  int64_t resumed = 0;
  // A token that is not the chain's, or an end before the last.
  bool wrong = false;

  // The server would take no more requests, as against one that it took and
  // that ended.
  bool is_refusal() const {
    return !accepted && !cancelled &&
           (absl::IsResourceExhausted(status) || absl::IsUnavailable(status));
  }
};

// Hears of calls, on any thread.
class LoadListener {
 public:
  virtual ~LoadListener() = default;
  // More tokens came.
  virtual void OnTokens(int64_t count) = 0;
  // The last that is heard of a call.
  virtual void OnEnded(LoadRequest request, const LoadOutcome& outcome) = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_TESTS_LOAD_LOAD_REQUEST_H_
