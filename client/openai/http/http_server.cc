#include "client/openai/http/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/openai/http/connection_gate.h"
#include "client/openai/http/connection_threads.h"
#include "client/openai/http/http_stream.h"
#include "client/openai/http/message_framing.h"
#include "client/openai/http/tls_context.h"
#include "common/clock.h"
#include "common/listen_address.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "httplib.h"

namespace hybridserve::http {
namespace {

constexpr int kBacklog = 512;
// Connections above the limit that are told so at the same time.
constexpr int64_t kSpareThreads = 32;

absl::Time Now() { return SystemClock().Now(); }

// What the library's request has no place for: the connection that it is on.
// One a thread, as a connection is.
struct Exchange {
  int fd = -1;
  HttpStream* stream = nullptr;
  bool head_done = false;    // And so it is clear where the body begins.
  bool body_unread = false;  // The client may be sending it.
  bool last = false;         // The connection ends with this reply.
};
thread_local Exchange* current = nullptr;

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

class SinkWriter final : public BodyWriter {
 public:
  explicit SinkWriter(httplib::DataSink& sink) : sink_(sink) {}
  bool Write(absl::string_view piece) override {
    good_ = good_ && (piece.empty() || sink_.write(piece.data(), piece.size()));
    return good_;
  }
  bool good() const { return good_; }

 private:
  httplib::DataSink& sink_;
  bool good_ = true;
};

}  // namespace

class HttpServer::Impl final : private httplib::Server {
 public:
  Impl(HttpServerOptions options, std::vector<HttpRoute> routes,
       std::unique_ptr<TlsContext> tls)
      : options_(std::move(options)),
        routes_(std::move(routes)),
        tls_(std::move(tls)),
        gate_(options_.max_connections) {}

  ~Impl() override {
    stopping_ = true;
    gate_.Drain();
    gate_.CutAll();
    stop();
    if (accepting_.joinable()) {
      // One may have come in between.
      std::atomic<bool> ended = false;
      std::thread cutter([&] {
        while (!ended) {
          gate_.CutAll();
          absl::SleepFor(absl::Milliseconds(10));
        }
      });
      accepting_.join();
      ended = true;
      cutter.join();
    }
  }

  absl::Status Start(const ListenAddress& address);
  const std::string& address() const { return address_; }
  ConnectionGate& gate() { return gate_; }

 private:
  // httplib::Server:
  bool process_and_close_socket(socket_t fd) override;

  void SetHandlers();
  void ServeConnection(int fd);
  void Refuse(HttpStream& stream);

  // All that is decided by a request's head. Null: the reply is there.
  const HttpRoute* CheckHead(const httplib::Request& request,
                             httplib::Response& response);
  HandlerResponse BeforeRouting(const httplib::Request& request,
                                httplib::Response& response);
  void ServeWithBody(const httplib::Request& request,
                     httplib::Response& response,
                     const httplib::ContentReader& reader);
  HandlerResponse OnError(const httplib::Request& request,
                          httplib::Response& response);
  void BeforeWriting(httplib::Response& response);

  const HttpRoute* FindRoute(const std::string& method, const std::string& path,
                             bool& known_path) const;
  void Serve(const HttpRoute& route, const httplib::Request& request,
             std::string body, httplib::Response& response);
  void Fail(int status, absl::string_view message,
            httplib::Response& response) const;
  void SendStream(const httplib::Request& request,
                  std::function<void(BodyWriter&)> stream,
                  const std::string& content_type, httplib::Response& response);

  const HttpServerOptions options_;
  const std::vector<HttpRoute> routes_;
  const std::unique_ptr<TlsContext> tls_;
  ConnectionGate gate_;
  HangupWatcher hangups_;
  std::string address_;
  std::atomic<bool> stopping_ = false;
  std::thread accepting_;
};

absl::Status HttpServer::Impl::Start(const ListenAddress& address) {
  SetHandlers();
  // Two servers on one port would share its calls by chance.
  set_socket_options(
      [](socket_t fd) { SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1); });
  errno = 0;
  int port = address.port;
  if (port == 0) {
    port = bind_to_any_port(address.host);
  } else if (!bind_to_port(address.host, port)) {
    port = -1;
  }
  if (port < 0) {
    const int error = errno;
    return absl::UnavailableError(absl::StrCat(
        "--listen: cannot listen on ", options_.listen, error != 0 ? ": " : "",
        error != 0 ? std::strerror(error) : ""));
  }
  address_ = absl::StrCat(options_.listen.substr(0, options_.listen.rfind(':')),
                          ":", port);
  ::listen(svr_sock_, kBacklog);  // The library's own is 5.
  new_task_queue = [this] {
    return new ConnectionThreads(options_.max_connections + kSpareThreads);
  };
  accepting_ = std::thread([this] {
    listen_after_bind();
    if (!stopping_) options_.on_failure();
  });
  // It could not be stopped before.
  while (!is_running()) absl::SleepFor(absl::Milliseconds(1));
  return absl::OkStatus();
}

void HttpServer::Impl::SetHandlers() {
  set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        return BeforeRouting(request, response);
      });
  // Only known paths come as far as this.
  Post(".*",
       [this](const httplib::Request& request, httplib::Response& response,
              const httplib::ContentReader& reader) {
         ServeWithBody(request, response, reader);
       });
  set_expect_100_continue_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        return CheckHead(request, response) == nullptr ? response.status : 100;
      });
  set_error_handler(HandlerWithResponse(
      [this](const httplib::Request& request, httplib::Response& response) {
        return OnError(request, response);
      }));
  set_exception_handler([this](const httplib::Request&,
                               httplib::Response& response,
                               std::exception_ptr) {
    LOG(ERROR) << "exception in a handler";
    current->last = true;
    Fail(500, "internal error", response);
  });
  set_post_routing_handler(
      [this](const httplib::Request&, httplib::Response& response) {
        BeforeWriting(response);
      });
}

bool HttpServer::Impl::process_and_close_socket(socket_t fd) {
  if (ConnectionThreads::InTheWay()) {
    LOG_EVERY_N(WARNING, 100) << "connection dropped: too many";
    close(fd);
    return false;
  }
  SetSocketOptions(fd);
  ServeConnection(fd);
  return true;
}

void HttpServer::Impl::ServeConnection(int fd) {
  const bool room = gate_.Enter(fd);
  HttpStream stream(fd, tls_->NewSession(),
                    {.max_head_bytes = options_.max_head_bytes,
                     .write_timeout = options_.write_timeout});
  Exchange exchange;
  if (stream.Handshake(Now() + options_.head_timeout)) {
    bool first = true;
    while (!exchange.last &&
           gate_.WaitForRequest(
               fd, stream.has_buffered(), first,
               first ? options_.head_timeout : options_.idle_timeout)) {
      exchange = {.fd = fd, .stream = &stream, .last = gate_.draining()};
      current = &exchange;
      stream.BeginHead(Now() + options_.head_timeout);
      if (!room) {
        Refuse(stream);
        exchange.last = exchange.body_unread = true;
      } else {
        bool ended = false;
        const bool good = process_request(
            stream, false, ended, [&exchange](httplib::Request& request) {
              exchange.head_done = true;
              // The library would cut and compress replies by them.
              request.ranges.clear();
              request.headers.erase("Accept-Encoding");
            });
        exchange.last = exchange.last || ended || !good || !exchange.head_done;
      }
      current = nullptr;
      gate_.FinishRequest();
      first = false;
    }
  }
  const bool sending =
      exchange.body_unread || (exchange.fd >= 0 && !exchange.head_done);
  stream.Finish(sending && !stopping_);
  gate_.Leave(fd);
  close(fd);
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

const HttpRoute* HttpServer::Impl::FindRoute(const std::string& method,
                                             const std::string& path,
                                             bool& known_path) const {
  known_path = false;
  for (const HttpRoute& route : routes_) {
    const bool matches = absl::EndsWith(route.path, "/")
                             ? absl::StartsWith(path, route.path) &&
                                   path.size() > route.path.size()
                             : path == route.path;
    if (!matches) continue;
    known_path = true;
    if (route.method == method || (route.method == "GET" && method == "HEAD")) {
      return &route;
    }
  }
  return nullptr;
}

const HttpRoute* HttpServer::Impl::CheckHead(const httplib::Request& request,
                                             httplib::Response& response) {
  const MessageFraming framing =
      ReadFraming(request.method, request.headers, options_.max_body_bytes);
  current->body_unread = framing.has_body;
  bool known_path = false;
  const HttpRoute* const route =
      FindRoute(request.method, request.path, known_path);
  if (framing.refusal != 0) {
    Fail(framing.refusal, framing.reason, response);
    return nullptr;
  }
  if (route == nullptr) {
    Fail(known_path ? 405 : 404,
         absl::StrCat("there is no ", request.method, " ", request.path),
         response);
  }
  return route;
}

httplib::Server::HandlerResponse HttpServer::Impl::BeforeRouting(
    const httplib::Request& request, httplib::Response& response) {
  const HttpRoute* const route = CheckHead(request, response);
  if (route == nullptr) return HandlerResponse::Handled;
  if (request.method == "POST") return HandlerResponse::Unhandled;
  Serve(*route, request, "", response);
  return HandlerResponse::Handled;
}

void HttpServer::Impl::ServeWithBody(const httplib::Request& request,
                                     httplib::Response& response,
                                     const httplib::ContentReader& reader) {
  std::string body;
  bool too_large = false;
  current->stream->BeginBody(Now() + options_.body_timeout);
  const bool good = reader([&](const char* data, size_t size) {
    too_large =
        static_cast<int64_t>(body.size() + size) > options_.max_body_bytes;
    if (!too_large) body.append(data, size);
    return !too_large;
  });
  if (good) {
    current->body_unread = false;
    bool known_path = false;
    Serve(*FindRoute(request.method, request.path, known_path), request,
          std::move(body), response);
  } else if (too_large) {
    Fail(413,
         absl::StrCat("the body is larger than ", options_.max_body_bytes,
                      " bytes"),
         response);
  } else if (current->stream->failure() == HttpStream::Failure::kTimeout) {
    Fail(408, "the body did not come in time", response);
  } else {
    Fail(400, "the body is cut off, or badly chunked", response);
  }
}

void HttpServer::Impl::Serve(const HttpRoute& route,
                             const httplib::Request& request, std::string body,
                             httplib::Response& response) {
  const int fd = current->fd;
  HttpReply reply =
      route.handler({.method = request.method,
                     .path = request.path,
                     .body = std::move(body),
                     .header =
                         [&request](const std::string& name) {
                           return request.get_header_value(name);
                         },
                     .watch_hangup =
                         [this, fd](std::function<void()> on_hangup) {
                           return hangups_.Start(fd, std::move(on_hangup));
                         }});
  response.status = reply.status;
  for (const auto& [name, value] : reply.headers) {
    response.set_header(name, value);
  }
  if (reply.stream != nullptr && request.method != "HEAD") {
    SendStream(request, std::move(reply.stream), reply.content_type, response);
  } else {
    response.set_content(reply.body, reply.content_type);
  }
}

void HttpServer::Impl::SendStream(const httplib::Request& request,
                                  std::function<void(BodyWriter&)> stream,
                                  const std::string& content_type,
                                  httplib::Response& response) {
  const auto provide = [stream = std::move(stream)](size_t,
                                                    httplib::DataSink& sink) {
    SinkWriter writer(sink);
    stream(writer);
    if (writer.good()) sink.done();
    return writer.good();
  };
  if (request.version == "HTTP/1.0") {
    // It knows no chunks: the body ends with the connection.
    current->last = true;
    response.set_content_provider(content_type, provide);
  } else {
    response.set_chunked_content_provider(content_type, provide);
  }
}

void HttpServer::Impl::Fail(int status, absl::string_view message,
                            httplib::Response& response) const {
  response.status = status;
  response.set_content(options_.error_body(status, message),
                       "application/json");
}

// Replies of the library's own, which have no body: it is about the head.
httplib::Server::HandlerResponse HttpServer::Impl::OnError(
    const httplib::Request&, httplib::Response& response) {
  // "Handled" makes the library write the body's length.
  if (!response.body.empty()) return HandlerResponse::Handled;
  const HttpStream::Failure failure = current->stream->failure();
  if (current->head_done) {
    Fail(response.status, "the request can't be served", response);
  } else if (failure == HttpStream::Failure::kTooLarge) {
    Fail(431,
         absl::StrCat("the request's head is larger than ",
                      options_.max_head_bytes, " bytes"),
         response);
  } else if (failure == HttpStream::Failure::kTimeout) {
    Fail(408, "the request's head did not come in time", response);
  } else {
    Fail(response.status, "this is no good HTTP request", response);
  }
  return HandlerResponse::Handled;
}

void HttpServer::Impl::BeforeWriting(httplib::Response& response) {
  if (current->body_unread || !current->head_done || gate_.draining()) {
    current->last = true;
  }
  response.headers.erase("Keep-Alive");
  if (current->last) {
    response.headers.erase("Connection");
    response.set_header("Connection", "close");
  }
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Create(
    HttpServerOptions options, std::vector<HttpRoute> routes) {
  const absl::StatusOr<ListenAddress> address =
      ParseListenAddress(options.listen);
  if (!address.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen: ", address.status().message()));
  }
  if (options.tls.empty() && !options.insecure && !address->is_loopback()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--listen: ", options.listen,
        " is open to the network; give --https_certificate and --https_key, or "
        "--insecure to serve it in the clear"));
  }
  ASSIGN_OR_RETURN(auto tls, TlsContext::Create(options.tls));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(routes),
                                     std::move(tls));
  RETURN_IF_ERROR(impl->Start(*address));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

const std::string& HttpServer::address() const { return impl_->address(); }

void HttpServer::Drain() { impl_->gate().Drain(); }

bool HttpServer::WaitUntilIdle(absl::Duration timeout) {
  return impl_->gate().WaitUntilIdle(timeout);
}

}  // namespace hybridserve::http
