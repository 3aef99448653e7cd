#include "client/openai/http/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/openai/http/connection_gate.h"
#include "client/openai/http/http_stream.h"
#include "client/openai/http/library_server.h"
#include "client/openai/http/tls_context.h"
#include "common/clock.h"
#include "common/flag_error.h"
#include "common/listen_address.h"
#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve::http {
namespace {

// Connections above the limit that are told so at the same time.
constexpr int64_t kSpareThreads = 32;
constexpr absl::Duration kCutInterval = absl::Milliseconds(10);

absl::Time Now() { return SystemClock().Now(); }

void SetOption(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof(value));
}

// A peer that vanished without a word is found out within a minute.
void SetSocketOptions(int fd) {
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpServerOptions options, std::vector<HttpRoute> routes,
       std::unique_ptr<TlsContext> tls);
  ~Impl();

  absl::Status Start(const ListenAddress& address);
  const std::string& address() const { return address_; }
  ConnectionGate& gate() { return gate_; }

 private:
  void ServeConnection(int fd);
  void ServeRequests(int fd, HttpStream& stream, bool& client_may_be_sending);
  void Refuse(HttpStream& stream);

  const HttpServerOptions options_;
  const std::unique_ptr<TlsContext> tls_;
  ConnectionGate gate_;
  HangupWatcher hangups_;
  LibraryServer library_;
  std::string address_;
  std::atomic<bool> stopping_ = false;
  std::thread accepting_;
};

HttpServer::Impl::Impl(HttpServerOptions options, std::vector<HttpRoute> routes,
                       std::unique_ptr<TlsContext> tls)
    : options_(std::move(options)),
      tls_(std::move(tls)),
      gate_(options_.max_connections),
      library_({.max_head_bytes = options_.max_head_bytes,
                .max_body_bytes = options_.max_body_bytes,
                .body_timeout = options_.body_timeout,
                .error_body = options_.error_body,
                .routes = std::move(routes),
                .draining = [this] { return gate_.draining(); },
                .serve_connection = [this](int fd) { ServeConnection(fd); }},
               hangups_) {}

HttpServer::Impl::~Impl() {
  if (!accepting_.joinable()) return;
  stopping_ = true;
  gate_.Drain();
  gate_.CutAll();
  library_.Stop();
  // One may have come in between.
  std::atomic<bool> ended = false;
  std::thread cutter([&] {
    while (!ended) {
      gate_.CutAll();
      absl::SleepFor(kCutInterval);
    }
  });
  accepting_.join();
  ended = true;
  cutter.join();
}

absl::Status HttpServer::Impl::Start(const ListenAddress& address) {
  const absl::StatusOr<int> port = library_.Bind(address);
  if (!port.ok()) {
    return absl::UnavailableError(absl::StrCat("--listen: cannot listen on ",
                                               options_.listen, ": ",
                                               port.status().message()));
  }
  address_ = address.WithPort(*port);
  accepting_ = std::thread([this] {
    library_.Accept(options_.max_connections + kSpareThreads);
    if (!stopping_) options_.on_failure();
  });
  return absl::OkStatus();
}

void HttpServer::Impl::ServeConnection(int fd) {
  SetSocketOptions(fd);
  const bool room = gate_.Enter(fd);
  HttpStream stream(fd, tls_->NewSession(),
                    {.max_head_bytes = options_.max_head_bytes,
                     .write_timeout = options_.write_timeout});
  bool client_may_be_sending = false;
  if (stream.Handshake(Now() + options_.head_timeout)) {
    if (room) {
      ServeRequests(fd, stream, client_may_be_sending);
    } else {
      Refuse(stream);
      client_may_be_sending = true;
    }
  }
  stream.Finish(client_may_be_sending && !stopping_);
  gate_.Leave(fd);
  close(fd);
}

void HttpServer::Impl::ServeRequests(int fd, HttpStream& stream,
                                     bool& client_may_be_sending) {
  LibraryServer::Outcome outcome;
  for (bool first = true; !outcome.last; first = false) {
    const absl::Duration patience =
        first ? options_.head_timeout : options_.idle_timeout;
    if (!gate_.WaitForRequest(fd, stream.has_buffered(), first, patience)) {
      return;
    }
    stream.BeginHead(Now() + options_.head_timeout);
    outcome = library_.ServeRequest(stream, gate_.draining());
    client_may_be_sending = outcome.client_may_be_sending;
    gate_.FinishRequest();
  }
}

void HttpServer::Impl::Refuse(HttpStream& stream) {
  LOG_EVERY_N(WARNING, 100) << "connection refused: too many";
  const std::string body = options_.error_body(
      503, "the gateway has as many connections as it may have");
  const std::string reply = absl::StrCat(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
      "Retry-After: 1\r\nConnection: close\r\nContent-Length: ",
      body.size(), "\r\n\r\n", body);
  stream.write(reply.data(), reply.size());
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Create(
    HttpServerOptions options, std::vector<HttpRoute> routes) {
  ASSIGN_OR_RETURN(const ListenAddress address,
                   ParseListenFlag("listen", options.listen));
  if (options.tls.empty() && !options.insecure && !address.is_loopback()) {
    return WrongFlag(
        "listen",
        absl::StrCat(options.listen,
                     " is open to the network; give --https_certificate and "
                     "--https_key, or --insecure to serve it in the clear"));
  }
  ASSIGN_OR_RETURN(auto tls, TlsContext::Create(options.tls));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(routes),
                                     std::move(tls));
  RETURN_IF_ERROR(impl->Start(address));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

const std::string& HttpServer::address() const { return impl_->address(); }

void HttpServer::Drain() { impl_->gate().Drain(); }

bool HttpServer::WaitUntilIdle(absl::Duration timeout) {
  return impl_->gate().WaitUntilIdle(timeout);
}

}  // namespace hybridserve::http
