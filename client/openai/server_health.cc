#include "client/openai/server_health.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/client_context.h"

namespace hybridserve::openai {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

ServerHealth::ServerHealth(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(Health::NewStub(channel)) {}

absl::Status ServerHealth::Check(absl::Duration timeout) const {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  HealthCheckResponse response;
  const grpc::Status status =
      stub_->Check(&context, HealthCheckRequest(), &response);
  if (!status.ok()) {
    return absl::UnavailableError(
        absl::StrCat("no word from the server: ", status.error_message()));
  }
  if (response.status() != HealthCheckResponse::SERVING) {
    return absl::UnavailableError("the server is not ready to serve");
  }
  return absl::OkStatus();
}

}  // namespace hybridserve::openai
