#ifndef HYBRIDSERVE_CLIENT_OPENAI_HTTP_TLS_CONTEXT_H_
#define HYBRIDSERVE_CLIENT_OPENAI_HTTP_TLS_CONTEXT_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/file_watcher.h"
#include "common/security/tls_files.h"

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

namespace hybridserve::http {

struct TlsSessionDeleter {
  void operator()(SSL* session) const;
};
// Of one connection. Null: it is in the clear.
using TlsSession = std::unique_ptr<SSL, TlsSessionDeleter>;

// What an HTTPS server shows, and asks for: TLS 1.2 and 1.3. Files are read
// again when they change; bad ones change nothing. Their flags begin with
// --https_ here.
//
// Thread-safe.
class TlsContext {
 public:
  // Without files sessions are null. InvalidArgument naming the flag.
  static absl::StatusOr<std::unique_ptr<TlsContext>> Create(TlsFiles files);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // For a connection that was accepted.
  TlsSession NewSession() const;

 private:
  explicit TlsContext(TlsFiles files) : files_(std::move(files)) {}

  absl::Status Load();

  const TlsFiles files_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<SSL_CTX> context_ ABSL_GUARDED_BY(mutex_);
  FileWatcher watcher_;  // Its thread ends first.
};

}  // namespace hybridserve::http

#endif  // HYBRIDSERVE_CLIENT_OPENAI_HTTP_TLS_CONTEXT_H_
