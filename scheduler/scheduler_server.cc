#include "scheduler/scheduler_server.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/file_watcher.h"
#include "common/listen_address.h"
#include "common/metrics_server.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "scheduler/core/core_thread.h"
#include "scheduler/rpc/api_keys.h"
#include "scheduler/rpc/authenticator.h"
#include "scheduler/rpc/control_service.h"
#include "scheduler/rpc/inference_service.h"
#include "scheduler/rpc/load_proto.h"
#include "scheduler/rpc/model_service.h"
#include "scheduler/rpc/open_calls.h"
#include "scheduler/rpc/request_metrics.h"
#include "scheduler/rpc/served_models.h"
#include "scheduler/rpc/server_credentials.h"
#include "scheduler/rpc/snapshot_metrics.h"
#include "scheduler/rpc/worker_directory.h"
#include "scheduler/rpc/worker_link_service.h"

namespace hybridserve {
namespace {

// So that one or two may come late.
constexpr int64_t kHeartbeatsALease = 4;
constexpr int kMaxSentBytes = 64 << 20;
// Of a call's headers; a key and a few words fit.
constexpr int kMaxMetadataBytes = 16 << 10;
// Calls of one connection beside those that wait for their turn in the queue:
// running ones, looks at the load, and some to be refused at once. More wait in
// their client.
constexpr int64_t kSpareStreams = 16'384;
constexpr int kHandshakeTimeoutMs = 20'000;
constexpr absl::Duration kIdlePoll = absl::Milliseconds(10);
// For the last words to clients, once nothing is computed for them any more.
constexpr absl::Duration kLastWords = absl::Seconds(2);

// Streams of an offloaded model are silent for seconds: both ends ping, and
// neither takes the other's pings amiss.
void SetKeepalive(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
}

// What one connection may take before any of it is looked at.
void SetBounds(const SchedulerServerOptions& options,
               grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  builder.SetMaxSendMessageSize(kMaxSentBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(
      GRPC_ARG_MAX_CONCURRENT_STREAMS,
      static_cast<int>(
          std::min<int64_t>(std::numeric_limits<int>::max(),
                            options.core.max_queue_requests + kSpareStreams)));
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             kHandshakeTimeoutMs);
}

uint64_t NewTerm() {
  return static_cast<uint64_t>(absl::ToUnixMicros(absl::Now()));
}

SchedulerOptions WithTerm(SchedulerOptions options, uint64_t term) {
  options.term = term;
  return options;
}

}  // namespace

class SchedulerServer::Impl {
 public:
  Impl(std::unique_ptr<Policy> policy, const SchedulerServerOptions& options);

  absl::Status Start(const SchedulerServerOptions& options);
  // Now and whenever the file changes; none if it is empty.
  absl::Status UseApiKeys(const std::string& file);
  absl::Status ReadApiKeys(const std::string& file);
  // Of a model, a service or, for an empty name, everything.
  void SetHealth(const std::string& name, bool serving);
  void Drain();
  bool WaitUntilIdle(absl::Time deadline);
  void EndRequests(absl::Duration grace);
  void Shutdown(absl::Duration grace);
  std::optional<v1::Load> Load();

  const SystemClock clock_;
  const uint64_t term_;
  Authenticator authenticator_;
  ServedModels models_;
  RequestMetrics request_metrics_;
  WorkerDirectory directory_;
  OpenCalls open_calls_;
  CoreThread core_;
  InferenceServiceImpl inference_;
  ModelServiceImpl model_;
  ControlServiceImpl control_;
  WorkerLinkServiceImpl worker_link_;
  // Shared, as the exposer holds it weakly.
  const std::shared_ptr<SnapshotMetrics> snapshot_metrics_;
  std::string address_;
  std::string metrics_address_;
  std::atomic<grpc::HealthCheckServiceInterface*> health_{nullptr};
  // Outlived by what it tells of changes, and outlives the server.
  FileWatcher watcher_;
  absl::Mutex shutdown_mutex_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<MetricsServer> metrics_server_;
};

SchedulerServer::Impl::Impl(std::unique_ptr<Policy> policy,
                            const SchedulerServerOptions& options)
    : term_(options.core.term != 0 ? options.core.term : NewTerm()),
      directory_([this](const std::string& name, bool serving) {
        SetHealth(name, serving);
      }),
      core_(std::make_unique<SchedulerCore>(WithTerm(options.core, term_),
                                            std::move(policy), clock_),
            clock_),
      inference_(
          authenticator_, models_,
          CallEnvironment{.core = core_,
                          .open_calls = open_calls_,
                          .stream_interval = options.stream_interval,
                          .recording = {.metrics = request_metrics_,
                                        .clock = clock_,
                                        .log_requests = options.log_requests}}),
      model_(authenticator_, models_, core_),
      control_(authenticator_,
               ControlEnvironment{.core = core_,
                                  .directory = directory_,
                                  .metrics = request_metrics_,
                                  .act_ratio = options.act_ratio,
                                  .drain = [this] { Drain(); }}),
      worker_link_(
          authenticator_,
          WorkerEnvironment{.core = core_,
                            .models = models_,
                            .directory = directory_,
                            .term = term_,
                            .heartbeat_interval =
                                options.core.worker_lease / kHeartbeatsALease}),
      snapshot_metrics_(
          std::make_shared<SnapshotMetrics>([this] { return Load(); })) {}

absl::Status SchedulerServer::Impl::Start(
    const SchedulerServerOptions& options) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  RETURN_IF_ERROR(UseApiKeys(options.api_keys_file));
  grpc::ServerBuilder builder;
  int port = 0;
  if (!options.listen.empty()) {
    ASSIGN_OR_RETURN(auto credentials,
                     MakeServerCredentials(options, watcher_));
    builder.AddListeningPort(options.listen, std::move(credentials), &port);
  }
  // Two servers on one port would share its calls by chance.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  SetBounds(options, builder);
  SetKeepalive(builder);
  builder.RegisterService(&inference_);
  builder.RegisterService(&model_);
  builder.RegisterService(&control_);
  builder.RegisterService(&worker_link_);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || (!options.listen.empty() && port == 0)) {
    return absl::UnavailableError(
        absl::StrCat("--listen: cannot listen on ", options.listen));
  }
  health_ = server_->GetHealthCheckService();
  SetHealth("", false);
  // Alive, whatever else: what a liveness probe should ask for.
  SetHealth("hybridserve.v1.ControlService", true);
  SetHealth("hybridserve.v1.ModelService", true);
  if (!options.listen.empty()) {
    ASSIGN_OR_RETURN(const ListenAddress address,
                     ParseListenFlag("listen", options.listen));
    address_ = address.WithPort(port);
  }
  if (!options.metrics_listen.empty()) {
    ASSIGN_OR_RETURN(metrics_server_,
                     MetricsServer::Create(options.metrics_listen));
    metrics_server_->Add(request_metrics_.registry());
    metrics_server_->Add(snapshot_metrics_);
    metrics_address_ = metrics_server_->address();
  }
  return absl::OkStatus();
}

absl::Status SchedulerServer::Impl::UseApiKeys(const std::string& file) {
  if (file.empty()) return absl::OkStatus();
  watcher_.Watch({file}, [this, file] {
    const absl::Status status = ReadApiKeys(file);
    LOG_IF(ERROR, !status.ok())
        << status.message() << "; the keys read before stay in use";
  });
  return ReadApiKeys(file);
}

absl::Status SchedulerServer::Impl::ReadApiKeys(const std::string& file) {
  ASSIGN_OR_RETURN(ApiKeys keys, ApiKeys::Read(file));
  LOG(INFO) << "API keys: file=" << file << " keys=" << keys.size();
  authenticator_.Replace(std::move(keys));
  return absl::OkStatus();
}

void SchedulerServer::Impl::SetHealth(const std::string& name, bool serving) {
  grpc::HealthCheckServiceInterface* health = health_;
  if (health == nullptr) return;
  health->SetServingStatus(name, serving);
  if (name.empty()) {
    health->SetServingStatus("hybridserve.v1.InferenceService", serving);
  }
}

void SchedulerServer::Impl::Drain() {
  directory_.Drain();
  core_.Post([](SchedulerCore& core) { core.Drain(); });
}

bool SchedulerServer::Impl::WaitUntilIdle(absl::Time deadline) {
  while (true) {
    const std::optional<bool> idle =
        core_.Call([](const SchedulerCore& core) { return core.idle(); });
    if (idle.value_or(true)) return true;
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(std::min(kIdlePoll, deadline - absl::Now()));
  }
}

void SchedulerServer::Impl::EndRequests(absl::Duration grace) {
  Drain();
  const absl::Time deadline = absl::Now() + grace;
  if (!WaitUntilIdle(deadline)) {
    LOG(WARNING) << "ending requests that did not finish in time: grace="
                 << grace;
  }
  control_.Stop(absl::UnavailableError("the server is going"));
  core_.Stop();  // Ends what still runs, and the links to workers.
  worker_link_.Stop(absl::UnavailableError("the scheduler is going"));
  // What has finished may still be on its way to a client that reads slowly.
  open_calls_.WaitUntilNone(std::max(deadline, absl::Now() + kLastWords));
}

void SchedulerServer::Impl::Shutdown(absl::Duration grace) {
  absl::MutexLock lock(&shutdown_mutex_);
  if (server_ == nullptr) return;
  EndRequests(grace);
  server_->Shutdown(absl::ToChronoTime(absl::Now() + kLastWords));
  health_ = nullptr;
  metrics_server_.reset();
  server_.reset();
}

std::optional<v1::Load> SchedulerServer::Impl::Load() {
  const auto snapshot =
      core_.Call([](const SchedulerCore& core) { return core.Snapshot(); });
  if (!snapshot.has_value()) return std::nullopt;
  return LoadToProto(*snapshot, directory_, request_metrics_);
}

absl::StatusOr<std::unique_ptr<SchedulerServer>> SchedulerServer::Create(
    SchedulerServerOptions options) {
  CHECK(options.policy != nullptr);
  CHECK_GE(options.stream_interval, 1);
  CHECK_GE(options.max_message_bytes, kMinMaxMessageBytes);
  CHECK_LE(options.max_message_bytes, kMaxMaxMessageBytes);
  auto impl = std::make_unique<Impl>(std::move(options.policy), options);
  RETURN_IF_ERROR(impl->Start(options));
  return std::unique_ptr<SchedulerServer>(new SchedulerServer(std::move(impl)));
}

SchedulerServer::SchedulerServer(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

SchedulerServer::~SchedulerServer() { Shutdown(absl::ZeroDuration()); }

std::shared_ptr<grpc::Channel> SchedulerServer::InProcessChannel() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxSentBytes);
  arguments.SetMaxSendMessageSize(kMaxSentBytes);
  return impl_->server_->InProcessChannel(arguments);
}

const std::string& SchedulerServer::address() const { return impl_->address_; }

const std::string& SchedulerServer::metrics_address() const {
  return impl_->metrics_address_;
}

bool SchedulerServer::WaitUntilReady(absl::Time deadline) {
  return impl_->directory_.WaitUntilReady(deadline);
}

void SchedulerServer::Drain() { impl_->Drain(); }

bool SchedulerServer::draining() const { return impl_->directory_.draining(); }

bool SchedulerServer::WaitUntilIdle(absl::Time deadline) {
  return impl_->WaitUntilIdle(deadline);
}

void SchedulerServer::EndRequests(absl::Duration grace) {
  impl_->EndRequests(grace);
}
void SchedulerServer::Shutdown(absl::Duration grace) { impl_->Shutdown(grace); }

}  // namespace hybridserve
