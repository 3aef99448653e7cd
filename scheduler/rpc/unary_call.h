#ifndef HYBRIDSERVE_SCHEDULER_RPC_UNARY_CALL_H_
#define HYBRIDSERVE_SCHEDULER_RPC_UNARY_CALL_H_

#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "hybridserve/v1/inference_service.pb.h"
#include "scheduler/rpc/core_call.h"
#include "scheduler/rpc/generation_sink.h"

namespace hybridserve {

// One Generate call: collects the output and sends it whole. The response's
// metadata names the request. That of an error comes last, not first: clients
// take a call that got metadata first for begun, and retry it no more.
//
// gRPC owns it and deletes it by OnDone(); the core's thread fills it.
class GenerateCall final : public grpc::ServerUnaryReactor,
                           public GenerationSink {
 public:
  // `context` and `response` are gRPC's and live as long as this.
  GenerateCall(const CallEnvironment& environment,
               grpc::CallbackServerContext& context, grpc::ByteBuffer* response)
      : call_(environment), context_(context), response_bytes_(response) {}

  // Begins, or refuses with `prepared`'s status. Once; the call may be gone
  // when it returns.
  void Start(const CallIdentity& identity,
             absl::StatusOr<PreparedRequest> prepared,
             std::chrono::system_clock::time_point deadline);

  void OnOutput(OutputPart part) override;
  void OnEnd(const OutputEnd& end) override;
  void OnError(const absl::Status& status) override;

  void OnCancel() override { call_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  CoreCall call_;
  grpc::CallbackServerContext& context_;
  grpc::ByteBuffer* const response_bytes_;
  v1::GenerateResponse response_;
};

// One Score call; its metadata is as GenerateCall's.
//
// gRPC owns it and deletes it by OnDone(); the core's thread fills it.
class ScoreCall final : public grpc::ServerUnaryReactor, public GenerationSink {
 public:
  // As GenerateCall's.
  ScoreCall(const CallEnvironment& environment,
            grpc::CallbackServerContext& context, grpc::ByteBuffer* response)
      : call_(environment), context_(context), response_bytes_(response) {}

  // As GenerateCall's.
  void Start(const CallIdentity& identity,
             absl::StatusOr<PreparedRequest> prepared,
             std::chrono::system_clock::time_point deadline);

  void OnOutput(OutputPart) override {}
  void OnScores(const std::vector<TokenScore>& scores) override;
  void OnEnd(const OutputEnd& end) override;
  void OnError(const absl::Status& status) override;

  void OnCancel() override { call_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  CoreCall call_;
  grpc::CallbackServerContext& context_;
  grpc::ByteBuffer* const response_bytes_;
  v1::ScoreResponse response_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_UNARY_CALL_H_
