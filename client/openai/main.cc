// The hybridserve-openai program: flags to options, a server, the lines and
// exit codes of the command line contract (--help).

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "client/connection.h"
#include "client/openai/api_error.h"
#include "client/openai/gateway.h"
#include "client/openai/http/http_server.h"
#include "common/flag_error.h"
#include "common/grpc_log.h"
#include "common/metrics_server.h"
#include "common/program.h"
#include "common/size.h"
#include "common/status_macros.h"
#include "common/termination.h"
#include "glog/logging.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:8000",
          "HOST:PORT to serve HTTP on; port 0: any.");
ABSL_FLAG(std::string, server, "", "HOST:PORT of the scheduler.");
ABSL_FLAG(std::string, tls_ca, "",
          "PEM file with the certificates that vouch for --server. Empty: the "
          "connection to it is in the clear.");
ABSL_FLAG(std::string, tls_certificate, "",
          "With --tls_ca: PEM file of this program's own certificate chain, "
          "for a scheduler that wants one.");
ABSL_FLAG(std::string, tls_key, "", "PEM file of its private key.");
ABSL_FLAG(std::string, https_certificate, "",
          "PEM file of the certificate chain to show to HTTP clients, leaf "
          "first. Empty: HTTP in the clear. This, --https_key and --https_ca "
          "are read again when they change.");
ABSL_FLAG(std::string, https_key, "", "PEM file of its private key.");
ABSL_FLAG(std::string, https_ca, "",
          "PEM file: HTTP clients must have a certificate from these.");
ABSL_FLAG(bool, insecure, false,
          "Serve HTTP in the clear on an address that is open to the network.");
ABSL_FLAG(std::string, metrics_listen, "",
          "HOST:PORT of Prometheus's /metrics; empty: none.");
ABSL_FLAG(std::string, chat_template, "",
          "File that says how the models read a conversation "
          "(docs/openai.md), or MODEL=FILE,MODEL=FILE: how each does. Empty: "
          "no /v1/chat/completions.");
ABSL_FLAG(bool, tenant_from_user, false,
          "A request's field `user` is the tenant, where its API key may name "
          "one. Otherwise it means nothing.");
ABSL_FLAG(bool, log_requests, true,
          "Log a line of each completion at its end; never text.");
ABSL_FLAG(int64_t, max_connections, 512,
          "HTTP connections at once, each with a thread; more get 503. At most "
          "900.");
ABSL_FLAG(std::string, max_body_size, "4MiB",
          "Largest body of a request, from 1KiB to 64MiB.");
ABSL_FLAG(absl::Duration, head_timeout, absl::Seconds(10),
          "By when a request's first line and headers are there, whole.");
ABSL_FLAG(absl::Duration, body_timeout, absl::Seconds(60),
          "By when a request's body is there, whole.");
ABSL_FLAG(absl::Duration, write_timeout, absl::Seconds(30),
          "How long a client may take nothing of what is sent to it; its "
          "request is then cancelled.");
ABSL_FLAG(absl::Duration, idle_timeout, absl::Seconds(60),
          "How long a connection may wait for its next request.");
ABSL_FLAG(absl::Duration, request_timeout, absl::InfiniteDuration(),
          "How long a completion may take before it is cancelled: 504.");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(60),
          "How long requests may go on after SIGTERM.");

namespace hybridserve::openai {
namespace {

constexpr char kName[] = "hybridserve-openai";
constexpr absl::Duration kHealthInterval = absl::Milliseconds(200);

absl::StatusOr<int64_t> MaxBodyBytesFromFlag() {
  absl::StatusOr<int64_t> bytes = ParseSize(absl::GetFlag(FLAGS_max_body_size));
  if (!bytes.ok()) {
    return WrongFlag("max_body_size", bytes.status().message());
  }
  if (*bytes < 1024 || *bytes > (int64_t{64} << 20)) {
    return WrongFlag("max_body_size", "is not from 1KiB to 64MiB");
  }
  return bytes;
}

absl::Status CheckDurations() {
  const std::pair<absl::string_view, absl::Duration> durations[] = {
      {"head_timeout", absl::GetFlag(FLAGS_head_timeout)},
      {"body_timeout", absl::GetFlag(FLAGS_body_timeout)},
      {"write_timeout", absl::GetFlag(FLAGS_write_timeout)},
      {"idle_timeout", absl::GetFlag(FLAGS_idle_timeout)},
      {"request_timeout", absl::GetFlag(FLAGS_request_timeout)}};
  for (const auto& [flag, duration] : durations) {
    if (duration <= absl::ZeroDuration()) {
      return WrongFlag(flag, "must be more than 0");
    }
  }
  if (absl::GetFlag(FLAGS_drain_timeout) < absl::ZeroDuration()) {
    return WrongFlag("drain_timeout", "is negative");
  }
  return absl::OkStatus();
}

absl::StatusOr<http::HttpServerOptions> HttpOptionsFromFlags() {
  RETURN_IF_ERROR(CheckDurations());
  http::HttpServerOptions options;
  options.listen = absl::GetFlag(FLAGS_listen);
  options.tls = {.certificate_file = absl::GetFlag(FLAGS_https_certificate),
                 .key_file = absl::GetFlag(FLAGS_https_key),
                 .ca_file = absl::GetFlag(FLAGS_https_ca)};
  options.insecure = absl::GetFlag(FLAGS_insecure);
  options.max_connections = absl::GetFlag(FLAGS_max_connections);
  if (options.max_connections < 1 ||
      options.max_connections > http::kMostConnections) {
    return WrongFlag("max_connections",
                     absl::StrCat("is not from 1 to ", http::kMostConnections));
  }
  ASSIGN_OR_RETURN(options.max_body_bytes, MaxBodyBytesFromFlag());
  options.head_timeout = absl::GetFlag(FLAGS_head_timeout);
  options.body_timeout = absl::GetFlag(FLAGS_body_timeout);
  options.write_timeout = absl::GetFlag(FLAGS_write_timeout);
  options.idle_timeout = absl::GetFlag(FLAGS_idle_timeout);
  options.error_body = [](int status, absl::string_view message) {
    return ToBody(HttpError(status, message));
  };
  return options;
}

absl::StatusOr<GatewayOptions> GatewayOptionsFromFlags() {
  GatewayOptions options;
  options.request_timeout = absl::GetFlag(FLAGS_request_timeout);
  options.tenant_from_user = absl::GetFlag(FLAGS_tenant_from_user);
  options.log_requests = absl::GetFlag(FLAGS_log_requests);
  ASSIGN_OR_RETURN(options.chat_templates,
                   ChatTemplates::Read(absl::GetFlag(FLAGS_chat_template)));
  return options;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> DialFromFlags() {
  const std::string server = absl::GetFlag(FLAGS_server);
  if (server.empty()) return WrongFlag("server", "is required");
  return DialServer(
      {.address = server,
       .tls = {.certificate_file = absl::GetFlag(FLAGS_tls_certificate),
               .key_file = absl::GetFlag(FLAGS_tls_key),
               .ca_file = absl::GetFlag(FLAGS_tls_ca)}});
}

// Null if there is to be none.
absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsFromFlags(
    const Gateway& gateway) {
  const std::string listen = absl::GetFlag(FLAGS_metrics_listen);
  if (listen.empty()) return nullptr;
  ASSIGN_OR_RETURN(auto metrics, MetricsServer::Create(listen));
  metrics->Add(gateway.metrics().registry());
  return metrics;
}

// What main() returns after an error.
int Fail(const absl::Status& error) {
  if (absl::IsInvalidArgument(error)) ExitWithUsageError(kName, error);
  return ReportFailure(kName, error);
}

// "ready" once the server serves, until `stop`.
void WaitUntilReady(const Gateway& gateway, const absl::Notification& stop) {
  while (!stop.HasBeenNotified()) {
    if (gateway.health().Check(absl::Seconds(2)).ok()) {
      PrintLine("ready");
      return;
    }
    stop.WaitForNotificationWithTimeout(kHealthInterval);
  }
}

int Main(int argc, char** argv) {
  InitProgram(argc, argv,
              {.name = kName,
               .text = "Serves OpenAI's HTTP API (completions, chat "
                       "completions, models) in front of a scheduler.\n\n"
                       "  hybridserve-openai --server=127.0.0.1:50051\n"
                       "  curl http://127.0.0.1:8000/v1/models",
               .groups = {{"gateway", "client/openai/"},
                          {"all programs'", "common/"}}});
  LogGrpcThroughGlog();
  absl::StatusOr<http::HttpServerOptions> http_options = HttpOptionsFromFlags();
  if (!http_options.ok()) ExitWithUsageError(kName, http_options.status());
  absl::StatusOr<GatewayOptions> options = GatewayOptionsFromFlags();
  if (!options.ok()) ExitWithUsageError(kName, options.status());

  // Outlive main(), as the signal thread does.
  static auto& stop = *new absl::Notification();
  static auto& stopping = *new std::atomic<bool>(false);
  const auto stop_once = [] {
    if (!stopping.exchange(true)) stop.Notify();
  };
  HandleTermination(stop_once);
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = DialFromFlags();
  if (!channel.ok()) ExitWithUsageError(kName, channel.status());
  Gateway gateway(*std::move(options), *channel);

  auto metrics = MetricsFromFlags(gateway);
  if (!metrics.ok()) return Fail(metrics.status());
  std::atomic<bool> failed = false;
  http_options->on_failure = [&failed, stop_once] {
    LOG(ERROR) << "no connection can be accepted any more";
    failed = true;
    stop_once();
  };
  auto server =
      http::HttpServer::Create(*std::move(http_options), gateway.Routes());
  if (!server.ok()) return Fail(server.status());
  PrintLine(absl::StrCat("listening ", (*server)->address()));
  if (*metrics != nullptr) {
    PrintLine(absl::StrCat("metrics ", (*metrics)->address()));
  }
  std::thread ready([&gateway] { WaitUntilReady(gateway, stop); });
  stop.WaitForNotification();

  gateway.Drain();
  (*server)->Drain();
  ready.join();
  if (!(*server)->WaitUntilIdle(absl::GetFlag(FLAGS_drain_timeout))) {
    LOG(WARNING) << "requests are still under way; they are cut off";
  }
  server->reset();
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace hybridserve::openai

int main(int argc, char** argv) {
  return hybridserve::openai::Main(argc, argv);
}
