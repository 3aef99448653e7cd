#ifndef HYBRIDSERVE_CLIENT_OPENAI_HTTP_LIBRARY_SERVER_H_
#define HYBRIDSERVE_CLIENT_OPENAI_HTTP_LIBRARY_SERVER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/openai/http/hangup_watcher.h"
#include "client/openai/http/http_message.h"
#include "client/openai/http/http_stream.h"
#include "common/listen_address.h"
#include "httplib.h"

namespace hybridserve::http {

// What the library does of an HTTP server: accepting connections, parsing
// requests, writing replies. Who serves a connection and for how long is
// somebody else's business, to whom it gives them.
//
// Thread-safe.
class LibraryServer final : private httplib::Server {
 public:
  struct Options {
    int64_t max_head_bytes = 0;
    int64_t max_body_bytes = 0;
    absl::Duration body_timeout;
    std::function<std::string(int status, absl::string_view message)>
        error_body;
    std::vector<HttpRoute> routes;
    // Whether replies are the last of their connections.
    std::function<bool()> draining;
    // Serves a connection, from beginning to end, and closes it.
    std::function<void(int fd)> serve_connection;
  };
  // What becomes of a connection after a request.
  struct Outcome {
    bool last = false;
    bool client_may_be_sending = false;
  };

  // `hangups` outlives this.
  LibraryServer(Options options, HangupWatcher& hangups);

  // Listens; returns the port. Unavailable with the system's reason.
  absl::StatusOr<int> Bind(const ListenAddress& address);

  // Accepts connections, each on a thread of its own, up to so many; more are
  // closed. Returns after Stop(), when all threads have ended; or before, if it
  // can accept no more.
  void Accept(int64_t max_threads);
  // Waits until Accept() has begun, and makes it end.
  void Stop();

  // Serves the request that comes next on `stream`, which waits for its head.
  // `last`: in any case the connection's last.
  Outcome ServeRequest(HttpStream& stream, bool last);

 private:
  // httplib::Server:
  bool process_and_close_socket(socket_t fd) override;

  void SetHandlers();
  // All that is decided by a request's head. Null: the reply is there.
  const HttpRoute* CheckHead(const httplib::Request& request,
                             httplib::Response& response);
  HandlerResponse BeforeRouting(const httplib::Request& request,
                                httplib::Response& response);
  void ServeWithBody(const httplib::Request& request,
                     httplib::Response& response,
                     const httplib::ContentReader& reader);
  HandlerResponse OnError(httplib::Response& response);
  void BeforeWriting(httplib::Response& response);

  const HttpRoute* FindRoute(const httplib::Request& request,
                             bool& known_path) const;
  void Serve(const HttpRoute& route, const httplib::Request& request,
             std::string body, httplib::Response& response);
  static void SendStream(const httplib::Request& request, HttpReply reply,
                         httplib::Response& response);
  void Fail(int status, absl::string_view message,
            httplib::Response& response) const;

  const Options options_;
  HangupWatcher& hangups_;
};

}  // namespace hybridserve::http

#endif  // HYBRIDSERVE_CLIENT_OPENAI_HTTP_LIBRARY_SERVER_H_
