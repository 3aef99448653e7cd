#ifndef HYBRIDSERVE_CLIENT_OPENAI_HTTP_HTTP_SERVER_H_
#define HYBRIDSERVE_CLIENT_OPENAI_HTTP_HTTP_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/openai/http/http_message.h"
#include "common/security/tls_files.h"

namespace hybridserve::http {

// The library works with descriptors below 1024 only.
inline constexpr int64_t kMostConnections = 900;

struct HttpServerOptions {
  std::string listen;     // HOST:PORT, port 0: any.
  TlsFiles tls;           // Empty: HTTP in the clear.
  bool insecure = false;  // In the clear on an address open to the network.
  // Of which each has a thread; more get 503. 1 to kMostConnections.
  int64_t max_connections = 512;
  int64_t max_head_bytes = int64_t{64} << 10;
  int64_t max_body_bytes = int64_t{4} << 20;
  // By when a request's head, then its body, is there whole; and for how long
  // a client may take nothing of its reply.
  absl::Duration head_timeout = absl::Seconds(10);
  absl::Duration body_timeout = absl::Seconds(60);
  absl::Duration write_timeout = absl::Seconds(30);
  // Between requests of a connection.
  absl::Duration idle_timeout = absl::Seconds(60);
  // Makes the body, JSON, of replies that no handler made.
  std::function<std::string(int status, absl::string_view message)> error_body;
  // Accepting has ended, though nobody stopped it.
  std::function<void()> on_failure = [] {};
};

// HTTP/1.1 on the library cpp-httplib, which parses requests and writes
// replies, with what it has not: bounds on threads, heads and bodies, times by
// which they are due, word of clients that hang up, a way to stop.
//
// Thread-safe.
class HttpServer {
 public:
  // Listens, and serves from now on. InvalidArgument naming --listen or a TLS
  // flag; Unavailable if the address can't be had.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Create(
      HttpServerOptions options, std::vector<HttpRoute> routes);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  // Ends what is under way.
  ~HttpServer();

  // HOST:PORT with the real port.
  const std::string& address() const;

  // Connections end with the request that they are busy with; new ones are
  // accepted and served one request.
  void Drain();
  // Whether no request is under way any more, within the time.
  bool WaitUntilIdle(absl::Duration timeout);

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace hybridserve::http

#endif  // HYBRIDSERVE_CLIENT_OPENAI_HTTP_HTTP_SERVER_H_
