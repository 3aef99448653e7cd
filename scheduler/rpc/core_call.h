#ifndef HYBRIDSERVE_SCHEDULER_RPC_CORE_CALL_H_
#define HYBRIDSERVE_SCHEDULER_RPC_CORE_CALL_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "scheduler/core/core_thread.h"
#include "scheduler/rpc/call_identity.h"
#include "scheduler/rpc/generation_sink.h"
#include "scheduler/rpc/open_calls.h"
#include "scheduler/rpc/prepared_request.h"
#include "scheduler/rpc/request_recorder.h"

namespace hybridserve {

// What calls share; it all outlives them.
struct CallEnvironment {
  CoreThread& core;
  OpenCalls& open_calls;
  // Tokens that a stream's messages wait for, but for the first and the last.
  int64_t stream_interval = 1;
  RecordingEnvironment recording;  // Its clock is the core's.
};

// One call's request on its way through the core.
//
// Thread-safe: Submit() first, once; Cancel() whenever after it.
class CoreCall {
 public:
  explicit CoreCall(const CallEnvironment& environment)
      : environment_(environment) {}

  // Gives the request to the core, which it leaves by `deadline`, or refuses
  // it with `prepared`'s status. `sink` outlives the request and hears what
  // becomes of it, perhaps from within this call.
  void Submit(const CallIdentity& identity,
              absl::StatusOr<PreparedRequest> prepared,
              std::chrono::system_clock::time_point deadline,
              GenerationSink& sink);

  // The client wants no more. The request ends soon, if it has not ended.
  void Cancel();

 private:
  // Belongs to the core's thread. Shared with tasks posted to it, which may
  // outlive the call.
  struct Submission {
    RequestKey key;
    bool live = false;
  };

  const CallEnvironment environment_;
  const std::shared_ptr<Submission> submission_ =
      std::make_shared<Submission>();
  std::optional<OpenCalls::Call> open_;  // If the core was given the request.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_CORE_CALL_H_
