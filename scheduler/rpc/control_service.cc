#include "scheduler/rpc/control_service.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "common/version.h"
#include "common/wire/worker_info_wire.h"
#include "glog/logging.h"
#include "grpcpp/support/status.h"
#include "scheduler/rpc/load_proto.h"

namespace hybridserve {
namespace {

constexpr uint32_t kDefaultIntervalMs = 1000;
constexpr uint32_t kMinIntervalMs = 100;
constexpr uint32_t kMaxIntervalMs = 3'600'000;
// At once. Each looks into the core up to ten times a second.
constexpr size_t kMostWatches = 256;
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

absl::Status Stopped() {
  return absl::UnavailableError("the server has stopped");
}

grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context,
                                 const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace

grpc::ServerUnaryReactor* ControlServiceImpl::GetServerInfo(
    grpc::CallbackServerContext* context, const v1::GetServerInfoRequest*,
    v1::GetServerInfoResponse* response) {
  const absl::Status allowed =
      authenticator_.Check(*context, Action::kLook).status();
  if (!allowed.ok()) return Finish(context, allowed);
  const auto snapshot = environment_.core.Call(
      [](const SchedulerCore& core) { return core.Snapshot(); });
  if (!snapshot.has_value()) return Finish(context, Stopped());
  response->mutable_version()->assign(Version().data(), Version().size());
  response->set_build_id(BuildId());
  response->set_term(snapshot->term);
  response->set_policy(snapshot->policy);
  if (environment_.act_ratio.has_value()) {
    response->set_act_ratio(*environment_.act_ratio);
  }
  for (const LoadingWorkerState& loading : environment_.directory.Loading()) {
    v1::LoadingWorker& worker = *response->add_loading_workers();
    worker.set_name(loading.name);
    worker.set_model(loading.model);
    worker.set_stage(loading.stage);
    worker.set_loaded_bytes(loading.loaded_bytes);
    worker.set_total_bytes(loading.total_bytes);
  }
  response->set_draining(environment_.directory.draining());
  response->set_worker_wire_revision(kWireRevision);
  return Finish(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* ControlServiceImpl::GetLoad(
    grpc::CallbackServerContext* context, const v1::GetLoadRequest*,
    v1::GetLoadResponse* response) {
  const absl::Status allowed =
      authenticator_.Check(*context, Action::kLook).status();
  if (!allowed.ok()) return Finish(context, allowed);
  std::optional<v1::Load> load = Load();
  if (!load.has_value()) return Finish(context, Stopped());
  *response->mutable_load() = *std::move(load);
  return Finish(context, absl::OkStatus());
}

grpc::ServerWriteReactor<v1::WatchLoadResponse>* ControlServiceImpl::WatchLoad(
    grpc::CallbackServerContext* context, const v1::WatchLoadRequest* request) {
  const uint32_t interval_ms =
      request->has_interval_ms() ? request->interval_ms() : kDefaultIntervalMs;
  absl::Status status = authenticator_.Check(*context, Action::kLook).status();
  if (status.ok() &&
      (interval_ms < kMinIntervalMs || interval_ms > kMaxIntervalMs)) {
    status = InvalidFieldError(
        "interval_ms", absl::StrCat(interval_ms, " is not in [", kMinIntervalMs,
                                    ", ", kMaxIntervalMs, "]"));
  }
  absl::MutexLock lock(&mutex_);
  std::erase_if(watches_, [](const std::weak_ptr<WatchLoadCall>& watch) {
    return watch.expired();
  });
  if (status.ok() && watches_.size() >= kMostWatches) {
    status = WithRetryDelay(absl::ResourceExhaustedError(absl::StrCat(
                                watches_.size(),
                                " streams of WatchLoad are open, the most at a "
                                "time")),
                            kRetryDelay);
  }
  if (!status.ok()) {
    // A call that only ends.
    class Refusal final
        : public grpc::ServerWriteReactor<v1::WatchLoadResponse> {
     public:
      explicit Refusal(const absl::Status& status) {
        Finish(ToGrpcStatus(status));
      }
      void OnDone() override { delete this; }
    };
    return new Refusal(status);
  }
  std::shared_ptr<WatchLoadCall> call = WatchLoadCall::Start(
      [this] { return Load(); }, absl::Milliseconds(interval_ms));
  watches_.push_back(call);
  // gRPC calls OnDone() after this returns, so the pointer is good.
  return call.get();
}

grpc::ServerUnaryReactor* ControlServiceImpl::Abort(
    grpc::CallbackServerContext* context, const v1::AbortRequest* request,
    v1::AbortResponse*) {
  const absl::Status allowed =
      authenticator_.Check(*context, Action::kControl).status();
  if (!allowed.ok()) return Finish(context, allowed);
  const std::string& id = request->request_id();
  if (id.empty()) {
    return Finish(context, InvalidFieldError("request_id", "is empty"));
  }
  const std::optional<bool> found = environment_.core.Call(
      [&](SchedulerCore& core) { return core.CancelById(id); });
  if (!found.has_value()) return Finish(context, Stopped());
  if (*found) return Finish(context, absl::OkStatus());
  return Finish(context,
                WithResourceInfo(absl::NotFoundError(absl::StrCat(
                                     "no request is named \"", id, "\"")),
                                 "request", id));
}

grpc::ServerUnaryReactor* ControlServiceImpl::Drain(
    grpc::CallbackServerContext* context, const v1::DrainRequest*,
    v1::DrainResponse*) {
  const absl::Status allowed =
      authenticator_.Check(*context, Action::kControl).status();
  if (!allowed.ok()) return Finish(context, allowed);
  LOG(INFO) << "draining: asked for by an RPC";
  environment_.drain();
  return Finish(context, absl::OkStatus());
}

void ControlServiceImpl::Stop(const absl::Status& status) {
  std::vector<std::weak_ptr<WatchLoadCall>> watches;
  {
    absl::MutexLock lock(&mutex_);
    watches.swap(watches_);
  }
  for (const std::weak_ptr<WatchLoadCall>& weak : watches) {
    if (const auto watch = weak.lock()) watch->Stop(status);
  }
}

std::optional<v1::Load> ControlServiceImpl::Load() const {
  const auto snapshot = environment_.core.Call(
      [](const SchedulerCore& core) { return core.Snapshot(); });
  if (!snapshot.has_value()) return std::nullopt;
  return LoadToProto(*snapshot, environment_.directory, environment_.metrics);
}

}  // namespace hybridserve
