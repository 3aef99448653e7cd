#include "client/cli/backend.h"

#include <iostream>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/time/clock.h"
#include "client/cli/failure.h"
#include "client/commands/command.h"
#include "client/connection.h"
#include "client/load_bar.h"
#include "client/policy_worker.h"
#include "client/progress_bar.h"
#include "common/flag_error.h"
#include "common/status_macros.h"
#include "scheduler/flags/scheduler_flags.h"
#include "worker/flags/worker_flags.h"

ABSL_FLAG(std::string, server, "",
          "HOST:PORT of a scheduler. Or give --model_dir: this program then "
          "runs scheduler and worker itself and takes their flags.");
ABSL_FLAG(std::string, tls_ca, "",
          "PEM file with the certificates that vouch for --server. Empty: the "
          "connection is in the clear.");
ABSL_FLAG(std::string, tls_certificate, "",
          "With --tls_ca: PEM file of your own certificate chain, for a server "
          "that wants one.");
ABSL_FLAG(std::string, tls_key, "", "PEM file of its private key.");
ABSL_FLAG(std::string, api_key_file, "",
          "File whose first line is the API key to show to --server.");
ABSL_FLAG(std::string, tenant, "",
          "For whom to ask, where the server lets you say it.");

namespace hybridserve {

bool HasServerFlag() { return !absl::GetFlag(FLAGS_server).empty(); }

absl::Status Backend::CheckFlags(bool takes_embedded) {
  const bool server = HasServerFlag();
  if (!takes_embedded && !server) return WrongFlag("server", "is required");
  if (server == HasModelDirFlag() && takes_embedded) {
    return absl::InvalidArgumentError("needs one of --server and --model_dir");
  }
  if (server) return absl::OkStatus();
  RETURN_IF_ERROR(WorkerOptionsFromFlags().status());
  RETURN_IF_ERROR(SchedulerOptionsFromFlags().status());
  return PolicyFromFlags().status();
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Backend::Open() {
  if (const std::string server = absl::GetFlag(FLAGS_server); !server.empty()) {
    return DialServer(
        {.address = server,
         .tls = {.certificate_file = absl::GetFlag(FLAGS_tls_certificate),
                 .key_file = absl::GetFlag(FLAGS_tls_key),
                 .ca_file = absl::GetFlag(FLAGS_tls_ca)},
         .identity = {.api_key_file = absl::GetFlag(FLAGS_api_key_file),
                      .tenant = absl::GetFlag(FLAGS_tenant)}});
  }
  SchedulerServerOptions scheduler;
  ASSIGN_OR_RETURN(scheduler.core, SchedulerOptionsFromFlags());
  scheduler.core.term = 0;
  ASSIGN_OR_RETURN(scheduler.policy, PolicyFromFlags());
  ASSIGN_OR_RETURN(WorkerOptions worker, WorkerOptionsFromFlags());
  worker.max_running = scheduler.core.max_running;
  worker = WorkerForPolicy(std::move(worker), *scheduler.policy);
  LoadBar bar(std::cerr, StderrIsTerminal(), absl::Now());
  auto embedded = EmbeddedServer::Start(
      std::move(scheduler), worker,
      [&](const LoadProgress& progress) { bar.Show(progress, absl::Now()); });
  bar.Finish(absl::Now());
  ASSIGN_OR_RETURN(embedded_, std::move(embedded));
  return embedded_->channel();
}

int RunOnBackend(
    bool takes_embedded,
    absl::FunctionRef<absl::Status(std::shared_ptr<grpc::Channel>)> command) {
  if (absl::Status flags = Backend::CheckFlags(takes_embedded); !flags.ok()) {
    return Fail(kExitUsage, flags);
  }
  Backend backend;
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = backend.Open();
  if (!channel.ok()) return End(channel.status());
  const absl::Status status = command(*std::move(channel));
  return status.ok() ? kExitDone : Fail(kExitFailed, status);
}

}  // namespace hybridserve
