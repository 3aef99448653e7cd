#include "worker/rpc/status_server.h"

#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/metrics_server.h"
#include "common/status_macros.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"

namespace hybridserve {
namespace {

using Labels = std::map<std::string, std::string>;

}  // namespace

class StatusServer::Impl {
 public:
  explicit Impl(const std::string& model_name)
      : model_({{"model_name", model_name}}),
        registry_(std::make_shared<prometheus::Registry>()),
        up_(AddGauge("worker_up", "1 while a scheduler has the worker.")),
        load_ratio_(AddGauge("model_load_ratio",
                             "Share of the checkpoint that is loaded.")),
        bytes_(AddCounters("offload_bytes_total",
                           "Bytes over the link between host and device.")),
        busy_(AddCounters("offload_busy_seconds_total",
                          "Seconds of steps in which a stream was busy.")),
        wall_(AddCounters("step_seconds_total", "Seconds of all steps.")
                  .Add(model_)),
        steps_(AddCounters("steps_total", "Steps.").Add(model_)),
        refused_(AddCounters("plans_refused_total", "Plans that gave an error.")
                     .Add(model_)) {}

  absl::Status Start(const Options& options);
  void SetServing(bool serving);
  void CountStep(const StepResult& result);

  const Labels model_;
  const std::shared_ptr<prometheus::Registry> registry_;  // The exposer's too.
  prometheus::Gauge& up_;
  prometheus::Gauge& load_ratio_;
  prometheus::Family<prometheus::Counter>& bytes_;
  prometheus::Family<prometheus::Counter>& busy_;
  prometheus::Counter& wall_;
  prometheus::Counter& steps_;
  prometheus::Counter& refused_;
  std::string address_;
  std::string metrics_address_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<MetricsServer> metrics_server_;

 private:
  prometheus::Gauge& AddGauge(const std::string& name,
                              const std::string& help) {
    return prometheus::BuildGauge()
        .Name("hybridserve_" + name)
        .Help(help)
        .Register(*registry_)
        .Add(model_);
  }
  prometheus::Family<prometheus::Counter>& AddCounters(
      const std::string& name, const std::string& help) {
    return prometheus::BuildCounter()
        .Name("hybridserve_" + name)
        .Help(help)
        .Register(*registry_);
  }
  Labels With(const std::string& name, const std::string& value) const {
    Labels labels = model_;
    labels[name] = value;
    return labels;
  }
  void AddBytes(const char* dir, const char* kind, int64_t bytes) {
    Labels labels = With("kind", kind);
    labels["dir"] = dir;
    bytes_.Add(labels).Increment(static_cast<double>(bytes));
  }
};

absl::Status StatusServer::Impl::Start(const Options& options) {
  if (!options.listen.empty()) {
    const size_t colon = options.listen.rfind(':');
    int port_number = 0;
    if (colon == std::string::npos || colon == 0 ||
        !absl::SimpleAtoi(options.listen.substr(colon + 1), &port_number) ||
        port_number < 0 || port_number > 65535) {
      return absl::InvalidArgumentError(
          absl::StrCat("--listen: \"", options.listen, "\" is not HOST:PORT"));
    }
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
    address_ = absl::StrCat(options.listen.substr(0, colon), ":", port);
  }
  SetServing(false);
  if (options.metrics_listen.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(metrics_server_,
                   MetricsServer::Create(options.metrics_listen));
  metrics_server_->Add(registry_);
  metrics_address_ = metrics_server_->address();
  return absl::OkStatus();
}

void StatusServer::Impl::SetServing(bool serving) {
  up_.Set(serving ? 1 : 0);
  if (server_ != nullptr) {
    server_->GetHealthCheckService()->SetServingStatus(serving);
  }
}

void StatusServer::Impl::CountStep(const StepResult& result) {
  if (!result.status.ok()) refused_.Increment();
  const StepStats& stats = result.stats;
  steps_.Increment();
  wall_.Increment(absl::ToDoubleSeconds(stats.wall));
  busy_.Add(With("stream", "link"))
      .Increment(absl::ToDoubleSeconds(stats.link_busy));
  busy_.Add(With("stream", "copy_out"))
      .Increment(absl::ToDoubleSeconds(stats.copy_out_busy));
  busy_.Add(With("stream", "compute"))
      .Increment(absl::ToDoubleSeconds(stats.compute_busy));
  AddBytes("in", "weight", stats.weight_bytes);
  AddBytes("in", "kv", stats.kv_bytes);
  AddBytes("in", "act", stats.act_bytes);
  AddBytes("in", "other", stats.other_in_bytes);
  AddBytes("out", "write_back", stats.write_back_bytes);
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
  impl_->load_ratio_.Set(static_cast<double>(progress.done_bytes) /
                         static_cast<double>(progress.total_bytes));
}

void StatusServer::CountStep(const StepResult& result) {
  impl_->CountStep(result);
}

}  // namespace hybridserve
