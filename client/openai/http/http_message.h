#ifndef HYBRIDSERVE_CLIENT_OPENAI_HTTP_HTTP_MESSAGE_H_
#define HYBRIDSERVE_CLIENT_OPENAI_HTTP_HTTP_MESSAGE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/openai/http/hangup_watcher.h"

namespace hybridserve::http {

// A request, whole.
struct HttpRequest {
  std::string method;
  std::string path;  // Decoded, without the query.
  std::string body;
  // The first value of a header, whatever its case; empty: not there.
  std::function<std::string(const std::string& name)> header;
  // Calls a function, once and on another thread, if the client closes the
  // connection while the result lives. Of this request only.
  std::function<std::unique_ptr<HangupWatcher::Watch>(std::function<void()>)>
      watch_hangup;
};

// Where a reply's body goes piece by piece.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  // Sends it at once. False if the client is gone or takes nothing.
  virtual bool Write(absl::string_view piece) = 0;
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string content_type = "application/json";
  std::string body;
  // If set, the body: written while it runs, after the headers. Runs at most
  // once; not if the client is gone by then.
  std::function<void(BodyWriter&)> stream;
};

using HttpHandler = std::function<HttpReply(const HttpRequest&)>;

// Which requests a handler is for.
struct HttpRoute {
  std::string method;   // GET, which stands for HEAD too, or POST.
  std::string path;     // All that begin with it, if it ends with a slash.
  HttpHandler handler;  // Thread-safe.
};

}  // namespace hybridserve::http

#endif  // HYBRIDSERVE_CLIENT_OPENAI_HTTP_HTTP_MESSAGE_H_
