#ifndef HYBRIDSERVE_SCHEDULER_RPC_STREAM_CALL_H_
#define HYBRIDSERVE_SCHEDULER_RPC_STREAM_CALL_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "hybridserve/v1/inference_service.pb.h"
#include "scheduler/rpc/core_call.h"
#include "scheduler/rpc/generation_sink.h"

namespace hybridserve {

// One GenerateStream call: writes events as the client takes them. A client
// that reads slowly holds nobody up: what it has not taken yet is joined into
// one event. Tokens after the first wait until there are as many as the
// environment wants in an event, or something else comes. The response's
// metadata names the request: first, or last where the request is refused, as
// GenerateCall's does.
//
// Thread-safe. gRPC owns it and deletes it by OnDone().
class StreamCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                         public GenerationSink {
 public:
  // `context` is gRPC's and lives as long as this.
  StreamCall(const CallEnvironment& environment,
             grpc::CallbackServerContext& context)
      : call_(environment),
        interval_(environment.stream_interval),
        context_(context) {}

  // Begins, or refuses with `prepared`'s status. Once; the call may be gone
  // when it returns.
  void Start(const CallIdentity& identity,
             absl::StatusOr<PreparedRequest> prepared,
             std::chrono::system_clock::time_point deadline);

  void OnAccepted(int64_t queue_position) override;
  void OnOutput(OutputPart part) override;
  void OnResumed(int64_t completion_tokens) override;
  void OnEnd(const OutputEnd& end) override;
  void OnError(const absl::Status& status) override;

  void OnWriteDone(bool ok) override;
  void OnCancel() override { call_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  // Adds an event and writes it if nothing is being written.
  void Push(v1::GenerateStreamResponse event);
  // The status that ends the call, after what is pending.
  void End(absl::Status status);
  // Changes the state under the lock, then writes the next event or finishes,
  // whichever that made due. May delete this, and another thread may as soon as
  // the lock is let go: what is due is taken before.
  void Change(absl::FunctionRef<void()> change);

  // One of the two, if anything. Nobody else is given something until it is
  // done.
  struct Due {
    std::optional<v1::GenerateStreamResponse> event;
    std::optional<absl::Status> end;
  };
  Due TakeDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // All that is pending are too few tokens.
  bool WaitsForMore() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  CoreCall call_;
  const int64_t interval_;  // Tokens an event.
  grpc::CallbackServerContext& context_;
  std::string request_id_;    // Set before anything is pushed.
  bool accepted_ = false;     // Its metadata went out. Of the sink's caller.
  grpc::ByteBuffer current_;  // Being written.

  absl::Mutex mutex_;
  std::deque<v1::GenerateStreamResponse> pending_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;  // Or finished.
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;   // The client is gone.
  bool begun_ ABSL_GUARDED_BY(mutex_) = false;    // Tokens were written.
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_STREAM_CALL_H_
