#ifndef HYBRIDSERVE_TESTS_LOAD_LOAD_CALL_H_
#define HYBRIDSERVE_TESTS_LOAD_LOAD_CALL_H_

#include <memory>

#include "hybridserve/v1/inference_service.grpc.pb.h"
#include "tests/load/load_request.h"
#include "tests/load/timer_queue.h"

namespace hybridserve {

// One Generate or GenerateStream call under way. Thread-safe.
class LoadCall {
 public:
  virtual ~LoadCall() = default;
  // Ends it soon, whatever it is at.
  virtual void Cancel() = 0;
};

// Sends `request`, whose tokens are checked as they come; `listener` hears of
// it. Returns at once. The call lives until it has ended; `stub`, `timers` and
// `listener` outlive it.
std::weak_ptr<LoadCall> StartLoadCall(v1::InferenceService::Stub& stub,
                                      LoadRequest request, TimerQueue& timers,
                                      LoadListener& listener);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_TESTS_LOAD_LOAD_CALL_H_
