#include "client/commands/inspect_commands.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/commands/load_json.h"
#include "client/commands/load_table.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/client_context.h"
#include "hybridserve/v1/control_service.grpc.pb.h"
#include "hybridserve/v1/model_service.grpc.pb.h"

namespace hybridserve {
namespace {

using nlohmann::ordered_json;

constexpr absl::Duration kDeadline = absl::Seconds(10);

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
}

ordered_json ModelToJson(const v1::Model& model) {
  const v1::ModelShape& shape = model.shape();
  return {{"name", model.name()},
          {"weights_hash", model.weights_hash()},
          {"workers", model.workers()},
          {"dtypes", model.dtypes()},
          {"shape",
           {{"model_type", shape.model_type()},
            {"num_layers", shape.num_layers()},
            {"hidden", shape.hidden()},
            {"num_heads", shape.num_heads()},
            {"num_kv_heads", shape.num_kv_heads()},
            {"head_dim", shape.head_dim()},
            {"ffn_dim", shape.ffn_dim()},
            {"vocab_size", shape.vocab_size()},
            {"max_positions", shape.max_positions()}}},
          {"limits",
           {{"max_sequence_tokens", model.limits().max_sequence_tokens()},
            {"max_stop_conditions", model.limits().max_stop_conditions()},
            {"max_stop_text_bytes", model.limits().max_stop_text_bytes()},
            {"max_text_bytes", model.limits().max_text_bytes()}}}};
}

}  // namespace

absl::Status RunStatus(OutputFormat format, bool show_profile,
                       std::shared_ptr<grpc::Channel> channel,
                       std::ostream& out) {
  const auto stub = v1::ControlService::NewStub(std::move(channel));
  grpc::ClientContext context;
  SetDeadline(context);
  v1::GetLoadResponse response;
  RETURN_IF_ERROR(
      FromGrpcStatus(stub->GetLoad(&context, v1::GetLoadRequest(), &response)));
  if (format == OutputFormat::kJson) {
    out << LoadToJson(response.load(), show_profile).dump() << std::endl;
  } else {
    out << LoadToTable(response.load(), show_profile) << std::flush;
  }
  return absl::OkStatus();
}

absl::Status RunModels(OutputFormat format,
                       std::shared_ptr<grpc::Channel> channel,
                       std::ostream& out) {
  const auto stub = v1::ModelService::NewStub(std::move(channel));
  grpc::ClientContext context;
  SetDeadline(context);
  v1::ListModelsResponse response;
  RETURN_IF_ERROR(FromGrpcStatus(
      stub->ListModels(&context, v1::ListModelsRequest(), &response)));
  if (format == OutputFormat::kJson) {
    ordered_json models = ordered_json::array();
    for (const v1::Model& model : response.models()) {
      models.push_back(ModelToJson(model));
    }
    out << ordered_json{{"models", models}}.dump() << std::endl;
    return absl::OkStatus();
  }
  for (const v1::Model& model : response.models()) {
    const v1::ModelShape& shape = model.shape();
    out << absl::StreamFormat(
        "%s: %s, %d layers of %d, %d heads, vocabulary of %d; up to %d tokens "
        "a request; %d workers\n",
        model.name(), shape.model_type(), shape.num_layers(), shape.hidden(),
        shape.num_heads(), shape.vocab_size(),
        model.limits().max_sequence_tokens(), model.workers());
  }
  if (response.models_size() == 0) out << "no models: no worker is ready\n";
  out << std::flush;
  return absl::OkStatus();
}

absl::Status RunHealth(const std::string& service,
                       std::shared_ptr<grpc::Channel> channel,
                       std::ostream& out) {
  const auto stub = grpc::health::v1::Health::NewStub(std::move(channel));
  grpc::ClientContext context;
  SetDeadline(context);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  grpc::health::v1::HealthCheckResponse response;
  RETURN_IF_ERROR(FromGrpcStatus(stub->Check(&context, request, &response)));
  const std::string state =
      grpc::health::v1::HealthCheckResponse::ServingStatus_Name(
          response.status());
  if (response.status() != grpc::health::v1::HealthCheckResponse::SERVING) {
    return absl::UnavailableError(state);
  }
  out << state << std::endl;
  return absl::OkStatus();
}

}  // namespace hybridserve
