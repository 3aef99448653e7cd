// The worker program: flags to options, a worker and its connection, the lines
// and exit codes of the command line contract (--help).

#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/flag_error.h"
#include "common/grpc_log.h"
#include "common/listen_address.h"
#include "common/program.h"
#include "common/status_macros.h"
#include "common/step_result.h"
#include "common/termination.h"
#include "common/version.h"
#include "glog/logging.h"
#include "grpcpp/channel.h"
#include "worker/device/cuda/offer_cuda.h"
#include "worker/flags/worker_flags.h"
#include "worker/model/model_folder.h"
#include "worker/rpc/scheduler_channel.h"
#include "worker/rpc/scheduler_dialer.h"
#include "worker/rpc/status_server.h"
#include "worker/worker.h"

ABSL_FLAG(std::string, scheduler, "127.0.0.1:50051",
          "HOST:PORT of the scheduler; it is dialled for ever.");
ABSL_FLAG(std::string, listen, "",
          "HOST:PORT of health and reflection, for probes; empty: none.");
ABSL_FLAG(std::string, metrics_listen, "",
          "HOST:PORT of Prometheus's /metrics; empty: none.");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(60),
          "How long requests that run here may go on after SIGTERM; then they "
          "go on on another worker.");
ABSL_FLAG(std::string, worker_name, "",
          "Name of this worker for people and for the scheduler, which sets "
          "aside those that keep failing; the same after a restart, and no "
          "other's. Default: HOST/PROCESS.");
ABSL_FLAG(bool, insecure, false,
          "Serve --listen, which is in the clear, on an address that is open "
          "to the network.");
ABSL_FLAG(std::string, tls_ca, "",
          "PEM file of the certificates that the scheduler's must come from. "
          "Empty: the connection is in the clear. This, --tls_certificate, "
          "--tls_key and --api_key_file are read again when they change "
          "(docs/security.md).");
ABSL_FLAG(std::string, tls_certificate, "",
          "With --tls_ca: PEM file of this worker's own certificate chain, for "
          "a scheduler that wants one.");
ABSL_FLAG(std::string, tls_key, "", "PEM file of its private key.");
ABSL_FLAG(std::string, api_key_file, "",
          "File whose first line is the API key to show to the scheduler.");

namespace hybridserve {
namespace {

constexpr char kName[] = "worker";
// For the scheduler to hear of a device that failed, and hang up.
constexpr absl::Duration kLastWords = absl::Seconds(2);

// Why the device fails, once it does: it does so for good, and only a new
// process has it anew. Thread-safe.
class DeviceFailure {
 public:
  void Take(const StepResult& result) {
    if (!absl::IsInternal(result.status)) return;  // The plan's fault.
    absl::MutexLock lock(&mutex_);
    status_.Update(result.status);
  }
  absl::Status status() const {
    absl::MutexLock lock(&mutex_);
    return status_;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};
constexpr size_t kMaxWorkerNameBytes = 256;

absl::StatusOr<std::shared_ptr<grpc::Channel>> Dial() {
  return DialScheduler(
      {.address = absl::GetFlag(FLAGS_scheduler),
       .tls = {.certificate_file = absl::GetFlag(FLAGS_tls_certificate),
               .key_file = absl::GetFlag(FLAGS_tls_key),
               .ca_file = absl::GetFlag(FLAGS_tls_ca)},
       .api_key_file = absl::GetFlag(FLAGS_api_key_file)});
}

absl::Status CheckListen() {
  const std::string listen = absl::GetFlag(FLAGS_listen);
  if (listen.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const ListenAddress address,
                   ParseListenFlag("listen", listen));
  if (address.is_loopback() || absl::GetFlag(FLAGS_insecure)) {
    return absl::OkStatus();
  }
  return WrongFlag("listen",
                   absl::StrCat(listen,
                                " is open to the network, and health is served "
                                "in the clear; give --insecure if that is "
                                "fine"));
}

std::string ModelName(const WorkerOptions& options) {
  return options.model_name.empty() ? ModelFolderName(options.model_dir)
                                    : options.model_name;
}

std::string WorkerName() {
  if (std::string name = absl::GetFlag(FLAGS_worker_name); !name.empty()) {
    return name;
  }
  char host[256] = "";
  if (gethostname(host, sizeof(host) - 1) != 0) host[0] = '\0';
  return absl::StrCat(host, "/", getpid());
}

// Everything that flags can say wrong, found before anything is begun.
struct Setup {
  WorkerOptions worker;
  std::shared_ptr<grpc::Channel> channel;
  SchedulerDialer::Options dialing;
};

absl::StatusOr<Setup> SetupFromFlags() {
  Setup setup;
  ASSIGN_OR_RETURN(setup.worker, WorkerOptionsFromFlags());
  if (!HasModelDirFlag()) {
    return WrongFlag("model_dir", "is missing");
  }
  ASSIGN_OR_RETURN(setup.channel, Dial());
  RETURN_IF_ERROR(CheckListen());
  if (absl::GetFlag(FLAGS_drain_timeout) < absl::ZeroDuration()) {
    return WrongFlag("drain_timeout", "is negative");
  }
  if (absl::GetFlag(FLAGS_worker_name).size() > kMaxWorkerNameBytes) {
    return WrongFlag(
        "worker_name",
        absl::StrCat("is longer than ", kMaxWorkerNameBytes, " bytes"));
  }
  setup.dialing.worker_name = WorkerName();
  setup.dialing.model_name = ModelName(setup.worker);
  setup.dialing.build_id = BuildId();
  return setup;
}

// A flag that can never do is wrong usage; all else is a failure.
int ReportError(const absl::Status& status) {
  if (IsUsageError(status)) {
    ExitWithUsageError(kName, status);
  }
  return ReportFailure(kName, status);
}

int Main(int argc, char** argv) {
  InitProgram(
      argc, argv,
      {.name = kName,
       .text = "Runs a language model on one device for a scheduler, which it "
               "dials.\n\n"
               "  worker --scheduler=127.0.0.1:50051 --model_dir=models/demo"});
  LogGrpcThroughGlog();
  OfferCuda();
  // Outlive main(), as the signal thread does. Before gRPC starts threads,
  // which would take the signals.
  static auto& stop = *new absl::Notification();
  static std::atomic<bool> loading{true};
  HandleTermination([] {
    // Loading can't be interrupted, and nothing depends on it.
    if (loading) _exit(0);
    stop.Notify();
  });
  absl::StatusOr<Setup> setup = SetupFromFlags();
  if (!setup.ok()) ExitWithUsageError(kName, setup.status());
  absl::StatusOr<std::unique_ptr<StatusServer>> status = StatusServer::Create(
      {.listen = absl::GetFlag(FLAGS_listen),
       .metrics_listen = absl::GetFlag(FLAGS_metrics_listen),
       .model_name = setup->dialing.model_name});
  if (!status.ok()) return ReportError(status.status());
  StatusServer& status_server = **status;
  if (!status_server.address().empty()) {
    PrintLine(absl::StrCat("listening ", status_server.address()));
  }
  if (!status_server.metrics_address().empty()) {
    PrintLine(absl::StrCat("metrics ", status_server.metrics_address()));
  }

  DeviceFailure failure;
  setup->dialing.on_result = [&](const StepResult& result) {
    status_server.CountStep(result);
    failure.Take(result);
  };
  setup->dialing.on_accepted = [&](bool accepted) {
    status_server.SetServing(accepted);
    static bool said = false;
    if (accepted && !std::exchange(said, true)) PrintLine("ready");
  };
  SchedulerDialer dialer(setup->channel, setup->dialing);
  absl::StatusOr<std::unique_ptr<Worker>> worker =
      Worker::Create(setup->worker, [&](const LoadProgress& progress) {
        status_server.SetProgress(progress);
        dialer.ReportProgress(progress);
      });
  if (!worker.ok()) return ReportError(worker.status());
  loading = false;
  status_server.SetLoaded(**worker);
  dialer.Serve(**worker);

  // Until a signal, until the scheduler finds the model bad, or until the
  // device fails.
  absl::Status end;
  while (end.ok() &&
         !stop.WaitForNotificationWithTimeout(absl::Milliseconds(200))) {
    end = failure.status();
    const absl::Status accepted = dialer.WaitUntilAccepted(absl::Now());
    if (absl::IsInvalidArgument(accepted)) end.Update(accepted);
  }
  if (!absl::IsInvalidArgument(end)) {
    status_server.SetServing(false);
    const absl::Duration patience =
        end.ok() ? absl::GetFlag(FLAGS_drain_timeout) : kLastWords;
    if (!dialer.Leave(absl::Now() + patience)) {
      LOG(WARNING) << "leaving requests to other workers: drain_timeout="
                   << patience;
    }
  }
  dialer.Stop();
  return end.ok() ? 0 : ReportFailure(kName, end);
}

}  // namespace
}  // namespace hybridserve

int main(int argc, char** argv) { return hybridserve::Main(argc, argv); }
