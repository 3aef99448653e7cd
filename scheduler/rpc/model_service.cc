#include "scheduler/rpc/model_service.h"

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "common/grpc_status.h"
#include "grpcpp/support/status.h"
#include "scheduler/core/snapshot.h"
#include "scheduler/rpc/prepared_request.h"

namespace hybridserve {
namespace {

void FillShape(const ModelConfig& config, v1::ModelShape& shape) {
  shape.set_model_type(config.model_type);
  shape.set_num_layers(static_cast<uint32_t>(config.num_layers));
  shape.set_hidden(static_cast<uint32_t>(config.hidden));
  shape.set_num_heads(static_cast<uint32_t>(config.num_heads));
  shape.set_num_kv_heads(static_cast<uint32_t>(config.num_kv_heads));
  shape.set_head_dim(static_cast<uint32_t>(config.head_dim));
  shape.set_ffn_dim(static_cast<uint32_t>(config.ffn_dim));
  shape.set_vocab_size(static_cast<uint32_t>(config.vocab_size));
  shape.set_max_positions(static_cast<uint32_t>(config.max_positions));
}

// What does not change while workers come and go.
v1::Model Describe(const ServedModel& served) {
  v1::Model model;
  model.set_name(served.name);
  model.set_weights_hash(served.weights_hash);
  FillShape(served.config, *model.mutable_shape());
  v1::ModelLimits& limits = *model.mutable_limits();
  limits.set_max_sequence_tokens(
      static_cast<uint32_t>(served.config.max_positions));
  limits.set_max_stop_conditions(kMaxStopConditions);
  limits.set_max_stop_text_bytes(kMaxStopTextBytes);
  limits.set_max_text_bytes(kMaxTextBytes);
  if (served.config.bos_token_id >= 0) {
    model.set_bos_token_id(static_cast<uint32_t>(served.config.bos_token_id));
  }
  std::set<int64_t> ends(served.config.eos_token_ids.begin(),
                         served.config.eos_token_ids.end());
  ends.insert(served.generation_config.eos_token_ids.begin(),
              served.generation_config.eos_token_ids.end());
  for (const int64_t id : ends) {
    if (id >= 0) model.add_eos_token_ids(static_cast<uint32_t>(id));
  }
  return model;
}

// What the connected workers add.
void AddWorkers(const SchedulerSnapshot& snapshot, v1::Model& model) {
  for (const ModelSnapshot& known : snapshot.models) {
    if (known.name != model.name()) continue;
    model.set_workers(static_cast<uint32_t>(known.workers));
    if (known.max_request_tokens > 0) {
      model.mutable_limits()->set_max_sequence_tokens(
          static_cast<uint32_t>(known.max_request_tokens));
    }
  }
  std::set<std::string> dtypes;
  for (const WorkerSnapshot& worker : snapshot.workers) {
    if (worker.model == model.name()) {
      dtypes.emplace(Name(worker.numerics.dtype));
    }
  }
  for (const std::string& dtype : dtypes) model.add_dtypes(dtype);
}

grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context,
                                 const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace

grpc::ServerUnaryReactor* ModelServiceImpl::ListModels(
    grpc::CallbackServerContext* context, const v1::ListModelsRequest*,
    v1::ListModelsResponse* response) {
  const absl::Status allowed =
      authenticator_.Check(*context, Action::kLook).status();
  if (!allowed.ok()) return Finish(context, allowed);
  const std::optional<SchedulerSnapshot> snapshot =
      core_.Call([](const SchedulerCore& core) { return core.Snapshot(); });
  if (!snapshot.has_value()) {
    return Finish(context, absl::UnavailableError("the server has stopped"));
  }
  for (const std::shared_ptr<const ServedModel>& served : models_.List()) {
    v1::Model& model = *response->add_models();
    model = Describe(*served);
    AddWorkers(*snapshot, model);
  }
  return Finish(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* ModelServiceImpl::GetModel(
    grpc::CallbackServerContext* context, const v1::GetModelRequest* request,
    v1::GetModelResponse* response) {
  absl::Status status = authenticator_.Check(*context, Action::kLook).status();
  if (!status.ok()) return Finish(context, status);
  const auto served = models_.Find(request->name());
  if (!served.ok()) return Finish(context, served.status());
  const std::optional<SchedulerSnapshot> snapshot =
      core_.Call([](const SchedulerCore& core) { return core.Snapshot(); });
  if (!snapshot.has_value()) {
    return Finish(context, absl::UnavailableError("the server has stopped"));
  }
  *response->mutable_model() = Describe(**served);
  AddWorkers(*snapshot, *response->mutable_model());
  return Finish(context, absl::OkStatus());
}

}  // namespace hybridserve
