#include "client/openai/http/library_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/openai/http/connection_threads.h"
#include "client/openai/http/message_framing.h"
#include "common/clock.h"
#include "glog/logging.h"

namespace hybridserve::http {
namespace {

constexpr int kBacklog = 512;

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

// What the library's request has no place for.
struct Exchange {
  HttpStream& stream;
  bool last = false;
  bool head_done = false;    // And so it is clear where the body begins.
  bool body_unread = false;  // The client may be sending it.
};

// A thread serves one request at a time.
thread_local Exchange* current = nullptr;

}  // namespace

LibraryServer::LibraryServer(Options options, HangupWatcher& hangups)
    : options_(std::move(options)), hangups_(hangups) {
  SetHandlers();
}

absl::StatusOr<int> LibraryServer::Bind(const ListenAddress& address) {
  // Two servers on one port would share its calls by chance.
  set_socket_options([](socket_t fd) {
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  });
  errno = 0;
  int port = address.port;
  if (port == 0) {
    port = bind_to_any_port(address.host);
  } else if (!bind_to_port(address.host, port)) {
    port = -1;
  }
  if (port < 0) {
    return absl::UnavailableError(errno != 0 ? std::strerror(errno)
                                             : "no such address");
  }
  ::listen(svr_sock_, kBacklog);  // The library's own is 5.
  return port;
}

void LibraryServer::Accept(int64_t max_threads) {
  new_task_queue = [max_threads] { return new ConnectionThreads(max_threads); };
  listen_after_bind();
}

void LibraryServer::Stop() {
  // The library could not be stopped before.
  while (!is_running()) absl::SleepFor(absl::Milliseconds(1));
  stop();
}

bool LibraryServer::process_and_close_socket(socket_t fd) {
  if (ConnectionThreads::InTheWay()) {
    LOG_EVERY_N(WARNING, 100) << "connection dropped: too many";
    close(fd);
    return false;
  }
  options_.serve_connection(fd);
  return true;
}

LibraryServer::Outcome LibraryServer::ServeRequest(HttpStream& stream,
                                                   bool last) {
  Exchange exchange{.stream = stream, .last = last};
  current = &exchange;
  bool ended = false;
  const bool good = process_request(stream, false, ended,
                                    [&exchange](httplib::Request& request) {
                                      exchange.head_done = true;
                                      // The library would cut and compress
                                      // replies by them.
                                      request.ranges.clear();
                                      request.headers.erase("Accept-Encoding");
                                    });
  current = nullptr;
  return {.last = exchange.last || ended || !good || !exchange.head_done,
          .client_may_be_sending = exchange.body_unread || !exchange.head_done};
}

void LibraryServer::SetHandlers() {
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
      [this](const httplib::Request&, httplib::Response& response) {
        return OnError(response);
      }));
  set_exception_handler([this](const httplib::Request&,
                               httplib::Response& response,
                               const std::exception_ptr&) {
    LOG(ERROR) << "exception in a handler";
    current->last = true;
    Fail(500, "internal error", response);
  });
  set_post_routing_handler(
      [this](const httplib::Request&, httplib::Response& response) {
        BeforeWriting(response);
      });
}

const HttpRoute* LibraryServer::FindRoute(const httplib::Request& request,
                                          bool& known_path) const {
  known_path = false;
  for (const HttpRoute& route : options_.routes) {
    const bool matches = absl::EndsWith(route.path, "/")
                             ? absl::StartsWith(request.path, route.path) &&
                                   request.path.size() > route.path.size()
                             : request.path == route.path;
    if (!matches) continue;
    known_path = true;
    const bool of_head = route.method == "GET" && request.method == "HEAD";
    if (route.method == request.method || of_head) return &route;
  }
  return nullptr;
}

const HttpRoute* LibraryServer::CheckHead(const httplib::Request& request,
                                          httplib::Response& response) {
  const MessageFraming framing =
      ReadFraming(request.method, request.headers, options_.max_body_bytes);
  current->body_unread = framing.has_body;
  bool known_path = false;
  const HttpRoute* const route = FindRoute(request, known_path);
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

httplib::Server::HandlerResponse LibraryServer::BeforeRouting(
    const httplib::Request& request, httplib::Response& response) {
  const HttpRoute* const route = CheckHead(request, response);
  if (route == nullptr) return HandlerResponse::Handled;
  if (request.method == "POST") return HandlerResponse::Unhandled;
  Serve(*route, request, "", response);
  return HandlerResponse::Handled;
}

void LibraryServer::ServeWithBody(const httplib::Request& request,
                                  httplib::Response& response,
                                  const httplib::ContentReader& reader) {
  HttpStream& stream = current->stream;
  std::string body;
  bool too_large = false;
  stream.BeginBody(SystemClock().Now() + options_.body_timeout);
  const bool good = reader([&](const char* data, size_t size) {
    too_large =
        static_cast<int64_t>(body.size() + size) > options_.max_body_bytes;
    if (!too_large) body.append(data, size);
    return !too_large;
  });
  if (good) {
    current->body_unread = false;
    bool known_path = false;
    Serve(*FindRoute(request, known_path), request, std::move(body), response);
  } else if (too_large) {
    Fail(413,
         absl::StrCat("the body is larger than ", options_.max_body_bytes,
                      " bytes"),
         response);
  } else if (stream.failure() == HttpStream::Failure::kTimeout) {
    Fail(408, "the body did not come in time", response);
  } else {
    Fail(400, "the body is cut off, or badly chunked", response);
  }
}

void LibraryServer::Serve(const HttpRoute& route,
                          const httplib::Request& request, std::string body,
                          httplib::Response& response) {
  const int fd = current->stream.socket();
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
    SendStream(request, std::move(reply), response);
  } else {
    response.set_content(reply.body, reply.content_type);
  }
}

void LibraryServer::SendStream(const httplib::Request& request, HttpReply reply,
                               httplib::Response& response) {
  const auto provide = [stream = std::move(reply.stream)](
                           size_t, httplib::DataSink& sink) {
    SinkWriter writer(sink);
    stream(writer);
    if (writer.good()) sink.done();
    return writer.good();
  };
  if (request.version == "HTTP/1.0") {
    // It knows no chunks: the body ends with the connection.
    current->last = true;
    response.set_content_provider(reply.content_type, provide);
  } else {
    response.set_chunked_content_provider(reply.content_type, provide);
  }
}

void LibraryServer::Fail(int status, absl::string_view message,
                         httplib::Response& response) const {
  response.status = status;
  response.set_content(options_.error_body(status, message),
                       "application/json");
}

// Replies of the library's own, which have no body, get one: they are about the
// head. "Handled" makes the library write the body's length.
httplib::Server::HandlerResponse LibraryServer::OnError(
    httplib::Response& response) {
  if (!response.body.empty()) return HandlerResponse::Handled;
  const HttpStream::Failure failure = current->stream.failure();
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

void LibraryServer::BeforeWriting(httplib::Response& response) {
  if (current->body_unread || !current->head_done || options_.draining()) {
    current->last = true;
  }
  response.headers.erase("Keep-Alive");
  if (current->last) {
    response.headers.erase("Connection");
    response.set_header("Connection", "close");
  }
}

}  // namespace hybridserve::http
