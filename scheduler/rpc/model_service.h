#ifndef HYBRIDSERVE_SCHEDULER_RPC_MODEL_SERVICE_H_
#define HYBRIDSERVE_SCHEDULER_RPC_MODEL_SERVICE_H_

#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "hybridserve/v1/model_service.grpc.pb.h"
#include "scheduler/core/core_thread.h"
#include "scheduler/rpc/authenticator.h"
#include "scheduler/rpc/served_models.h"

namespace hybridserve {

// hybridserve.v1.ModelService over the core's snapshot. Thread-safe.
class ModelServiceImpl final : public v1::ModelService::CallbackService {
 public:
  // All outlive this.
  ModelServiceImpl(const Authenticator& authenticator,
                   const ServedModels& models, CoreThread& core)
      : authenticator_(authenticator), models_(models), core_(core) {}

  grpc::ServerUnaryReactor* ListModels(
      grpc::CallbackServerContext* context,
      const v1::ListModelsRequest* request,
      v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context,
                                     const v1::GetModelRequest* request,
                                     v1::GetModelResponse* response) override;

 private:
  const Authenticator& authenticator_;
  const ServedModels& models_;
  CoreThread& core_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_SCHEDULER_RPC_MODEL_SERVICE_H_
