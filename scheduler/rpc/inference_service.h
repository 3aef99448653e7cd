#ifndef HYBRIDSERVE_SCHEDULER_RPC_INFERENCE_SERVICE_H_
#define HYBRIDSERVE_SCHEDULER_RPC_INFERENCE_SERVICE_H_

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"
#include "scheduler/rpc/authenticator.h"
#include "scheduler/rpc/call_identity.h"
#include "scheduler/rpc/core_call.h"
#include "scheduler/rpc/prepared_request.h"
#include "scheduler/rpc/served_models.h"

namespace hybridserve {

// Every method takes bytes, because of ParseMessage() (message_bytes.h).
using RawInferenceService =
    v1::InferenceService::WithRawCallbackMethod_Generate<
        v1::InferenceService::WithRawCallbackMethod_GenerateStream<
            v1::InferenceService::WithRawCallbackMethod_Score<
                v1::InferenceService::WithRawCallbackMethod_Tokenize<
                    v1::InferenceService::WithRawCallbackMethod_Detokenize<
                        v1::InferenceService::Service>>>>>;

// hybridserve.v1.InferenceService over the core. Thread-safe.
class InferenceServiceImpl final : public RawInferenceService {
 public:
  // `authenticator` and `models` outlive this.
  InferenceServiceImpl(const Authenticator& authenticator,
                       const ServedModels& models,
                       const CallEnvironment& environment)
      : authenticator_(authenticator),
        models_(models),
        environment_(environment) {}

  grpc::ServerUnaryReactor* Generate(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* GenerateStream(
      grpc::CallbackServerContext* context,
      const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* Score(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Tokenize(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Detokenize(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;

 private:
  // A call that generates or scores, on its way to the core.
  struct Inquiry {
    CallIdentity identity;
    absl::StatusOr<PreparedRequest> prepared;
  };

  // Reads the call; its response's metadata will name the request.
  Inquiry ReadGenerate(grpc::CallbackServerContext& context,
                       const grpc::ByteBuffer& request) const;
  Inquiry ReadScore(grpc::CallbackServerContext& context,
                    const grpc::ByteBuffer& request) const;
  // What both do: checks the caller, parses, and prepares the message.
  template <typename Message>
  Inquiry Read(grpc::CallbackServerContext& context,
               const grpc::ByteBuffer& request,
               absl::FunctionRef<absl::StatusOr<PreparedRequest>(
                   const Message&, const ServedModels&)>
                   prepare) const;
  absl::StatusOr<v1::TokenizeResponse> TokenizeBytes(
      const grpc::CallbackServerContext& context,
      const grpc::ByteBuffer& request) const;
  absl::StatusOr<v1::DetokenizeResponse> DetokenizeBytes(
      const grpc::CallbackServerContext& context,
      const grpc::ByteBuffer& request) const;

  const Authenticator& authenticator_;
  const ServedModels& models_;
  const CallEnvironment environment_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_INFERENCE_SERVICE_H_
