// The scheduler program: flags to options, a server, the lines and exit codes
// of the command line contract (--help).

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/flag_error.h"
#include "common/grpc_log.h"
#include "common/program.h"
#include "common/size.h"
#include "common/status_macros.h"
#include "common/termination.h"
#include "scheduler/flags/scheduler_flags.h"
#include "scheduler/scheduler_server.h"

ABSL_DECLARE_FLAG(std::string, act_ratio);  // scheduler/flags
ABSL_FLAG(std::string, listen, "127.0.0.1:50051",
          "HOST:PORT to serve clients and workers on; port 0: any.");
ABSL_FLAG(std::string, metrics_listen, "",
          "HOST:PORT of Prometheus's /metrics; empty: none.");
ABSL_FLAG(bool, log_requests, true,
          "Log a line of each request at its end: ids, tokens, times, how it "
          "ended; never text.");
ABSL_FLAG(int64_t, stream_interval, 1,
          "Tokens in a message of a stream, but for its first and last. More "
          "cost the scheduler less, and come later.");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(60),
          "How long accepted requests may go on after SIGTERM.");
ABSL_FLAG(bool, insecure, false,
          "Serve in the clear on an address that is open to the network.");
ABSL_FLAG(std::string, tls_certificate, "",
          "PEM file of the server's certificate chain, leaf first. This, "
          "--tls_key, --tls_ca and --api_keys are read again when they change "
          "(docs/security.md).");
ABSL_FLAG(std::string, tls_key, "", "PEM file of its private key.");
ABSL_FLAG(std::string, tls_ca, "",
          "PEM file: clients and workers must have a certificate from these.");
ABSL_FLAG(std::string, api_keys, "",
          "File of API keys, one a line; calls need one of them as "
          "`authorization: Bearer KEY`. After a key, or sha256: and its hash, "
          "may follow tenant=NAME (or *: the call names it in "
          "x-hybridserve-tenant), roles=inference,control,worker and the "
          "tenant's max_requests=, max_queued_tokens= and max_priority=. "
          "Empty: calls need none.");
ABSL_FLAG(std::string, max_message_size, "64MiB",
          "Largest message taken from a client or worker, from 2MiB to 1GiB; "
          "larger ones are refused unread.");

namespace hybridserve {
namespace {

constexpr char kName[] = "scheduler";
// Until what was written last has left, whatever came in meanwhile unread.
constexpr absl::Duration kLastBytes = absl::Milliseconds(200);

absl::StatusOr<int64_t> MaxMessageBytesFromFlag() {
  absl::StatusOr<int64_t> bytes =
      ParseSize(absl::GetFlag(FLAGS_max_message_size));
  if (bytes.ok() && *bytes >= kMinMaxMessageBytes &&
      *bytes <= kMaxMaxMessageBytes) {
    return bytes;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--max_message_size: ",
      bytes.ok() ? "is not from 2MiB to 1GiB" : bytes.status().message()));
}

absl::StatusOr<SchedulerServerOptions> OptionsFromFlags() {
  SchedulerServerOptions options;
  ASSIGN_OR_RETURN(options.core, SchedulerOptionsFromFlags());
  ASSIGN_OR_RETURN(options.policy, PolicyFromFlags());
  double act_ratio = 0;
  if (absl::SimpleAtod(absl::GetFlag(FLAGS_act_ratio), &act_ratio)) {
    options.act_ratio = act_ratio;  // Else auto: PolicyFromFlags() checked it.
  }
  options.core.term = 0;  // The server chooses one.
  options.listen = absl::GetFlag(FLAGS_listen);
  if (options.listen.empty()) {
    return WrongFlag("listen", "is empty");
  }
  options.metrics_listen = absl::GetFlag(FLAGS_metrics_listen);
  options.log_requests = absl::GetFlag(FLAGS_log_requests);
  options.stream_interval = absl::GetFlag(FLAGS_stream_interval);
  if (options.stream_interval < 1) {
    return WrongFlag("stream_interval", "must be at least 1");
  }
  options.insecure = absl::GetFlag(FLAGS_insecure);
  options.tls = {.certificate_file = absl::GetFlag(FLAGS_tls_certificate),
                 .key_file = absl::GetFlag(FLAGS_tls_key),
                 .ca_file = absl::GetFlag(FLAGS_tls_ca)};
  options.api_keys_file = absl::GetFlag(FLAGS_api_keys);
  ASSIGN_OR_RETURN(options.max_message_bytes, MaxMessageBytesFromFlag());
  if (absl::GetFlag(FLAGS_drain_timeout) < absl::ZeroDuration()) {
    return WrongFlag("drain_timeout", "is negative");
  }
  return options;
}

int Main(int argc, char** argv) {
  InitProgram(
      argc, argv,
      {.name = kName,
       .text = "Serves language models over gRPC: takes clients' requests and "
               "runs them on the workers that dial in.\n\n"
               "  scheduler --listen=127.0.0.1:50051\n"
               "  worker --scheduler=127.0.0.1:50051 --model_dir=models/demo"});
  LogGrpcThroughGlog();
  absl::StatusOr<SchedulerServerOptions> options = OptionsFromFlags();
  if (!options.ok()) ExitWithUsageError(kName, options.status());

  // Outlives main(), as the signal thread does.
  static auto& stop = *new absl::Notification();
  HandleTermination([] { stop.Notify(); });
  absl::StatusOr<std::unique_ptr<SchedulerServer>> server =
      SchedulerServer::Create(*std::move(options));
  if (!server.ok()) {
    const bool failed = absl::IsUnavailable(server.status());
    if (!failed) ExitWithUsageError(kName, server.status());
    return ReportFailure(kName, server.status());
  }
  PrintLine(absl::StrCat("listening ", (*server)->address()));
  if (!(*server)->metrics_address().empty()) {
    PrintLine(absl::StrCat("metrics ", (*server)->metrics_address()));
  }

  std::thread ready([&] {
    if ((*server)->WaitUntilReady(absl::InfiniteFuture())) PrintLine("ready");
  });
  stop.WaitForNotification();
  (*server)->Drain();
  ready.join();
  (*server)->EndRequests(absl::GetFlag(FLAGS_drain_timeout));
  absl::SleepFor(kLastBytes);
  // The system closes the connections: see SchedulerServer::Shutdown().
  std::_Exit(0);
}

}  // namespace
}  // namespace hybridserve

int main(int argc, char** argv) { return hybridserve::Main(argc, argv); }
