#include "worker/rpc/status_server.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/listen_address.h"
#include "common/metrics_server.h"
#include "common/status_macros.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "worker/rpc/worker_metrics.h"

namespace hybridserve {
class StatusServer::Impl {
 public:
  explicit Impl(const std::string& model_name) : metrics_(model_name) {}

  absl::Status Start(const Options& options);
  void SetServing(bool serving);

  WorkerMetrics metrics_;
  std::string address_;
  std::string metrics_address_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<MetricsServer> metrics_server_;
};

absl::Status StatusServer::Impl::Start(const Options& options) {
  if (!options.listen.empty()) {
    ASSIGN_OR_RETURN(const ListenAddress address,
                     ParseListenFlag("listen", options.listen));
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(options.listen, grpc::InsecureServerCredentials(),
                             &port);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      return absl::UnavailableError(
          absl::StrCat("--listen: cannot listen on ", options.listen));
    }
    address_ = address.WithPort(port);
  }
  SetServing(false);
  if (options.metrics_listen.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(metrics_server_,
                   MetricsServer::Create(options.metrics_listen));
  metrics_server_->Add(metrics_.registry());
  metrics_address_ = metrics_server_->address();
  return absl::OkStatus();
}

void StatusServer::Impl::SetServing(bool serving) {
  metrics_.SetUp(serving);
  if (server_ != nullptr) {
    server_->GetHealthCheckService()->SetServingStatus(serving);
  }
}

absl::StatusOr<std::unique_ptr<StatusServer>> StatusServer::Create(
    const Options& options) {
  auto impl = std::make_unique<Impl>(options.model_name);
  RETURN_IF_ERROR(impl->Start(options));
  return std::unique_ptr<StatusServer>(new StatusServer(std::move(impl)));
}

StatusServer::StatusServer(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

StatusServer::~StatusServer() = default;

const std::string& StatusServer::address() const { return impl_->address_; }

const std::string& StatusServer::metrics_address() const {
  return impl_->metrics_address_;
}

void StatusServer::SetServing(bool serving) { impl_->SetServing(serving); }

void StatusServer::SetProgress(const LoadProgress& progress) {
  if (progress.total_bytes <= 0) return;
  impl_->metrics_.SetLoadRatio(static_cast<double>(progress.done_bytes) /
                               static_cast<double>(progress.total_bytes));
}

void StatusServer::SetLoaded(const Worker& worker) {
  impl_->metrics_.SetLoadRatio(1);
  impl_->metrics_.SetProfile(worker.info().profile);
  impl_->metrics_.SetMemory(worker.memory_plan(), worker.unpinned_bytes());
}

void StatusServer::CountStep(const StepResult& result) {
  impl_->metrics_.CountStep(result);
}

}  // namespace hybridserve
