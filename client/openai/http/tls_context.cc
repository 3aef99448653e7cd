#include "client/openai/http/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/flag_error.h"
#include "common/security/tls_material.h"
#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve::http {
namespace {

constexpr unsigned char kSessionContext[] = "hybridserve-openai";

absl::Status WithHttpsFlags(const absl::Status& status) {
  return absl::Status(
      status.code(),
      absl::StrReplaceAll(status.message(), {{"--tls_", "--https_"}}));
}

absl::StatusOr<std::shared_ptr<SSL_CTX>> MakeContext(const TlsFiles& files) {
  // Says better than OpenSSL does what is wrong with files.
  RETURN_IF_ERROR(WithHttpsFlags(ReadTlsMaterial(files).status()));
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()),
                                   &SSL_CTX_free);
  CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION |
                                         SSL_OP_NO_RENEGOTIATION |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  ERR_clear_error();
  bool good = SSL_CTX_use_certificate_chain_file(
                  context.get(), files.certificate_file.c_str()) == 1 &&
              SSL_CTX_use_PrivateKey_file(context.get(), files.key_file.c_str(),
                                          SSL_FILETYPE_PEM) == 1;
  if (good && !files.ca_file.empty()) {
    good = SSL_CTX_load_verify_locations(context.get(), files.ca_file.c_str(),
                                         nullptr) == 1;
    SSL_CTX_set_verify(context.get(),
                       SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       nullptr);
    SSL_CTX_set_session_id_context(context.get(), kSessionContext,
                                   sizeof(kSessionContext) - 1);
  }
  if (good) return context;
  char reason[256];
  ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
  return WrongFlag("https_certificate", reason);
}

}  // namespace

void TlsSessionDeleter::operator()(SSL* session) const { SSL_free(session); }

absl::StatusOr<std::unique_ptr<TlsContext>> TlsContext::Create(TlsFiles files) {
  if (files.empty() && !files.ca_file.empty()) {
    return WrongFlag("https_certificate", "is missing beside --https_ca");
  }
  std::unique_ptr<TlsContext> result(new TlsContext(std::move(files)));
  if (result->files_.empty()) return result;
  TlsContext* const raw = result.get();
  raw->watcher_.Watch(raw->files_.paths(), [raw] {
    const absl::Status status = raw->Load();
    LOG_IF(ERROR, !status.ok())
        << status.message() << "; what was read before stays in use";
    LOG_IF(INFO, status.ok()) << "certificates read again";
  });
  RETURN_IF_ERROR(raw->Load());
  return result;
}

absl::Status TlsContext::Load() {
  ASSIGN_OR_RETURN(std::shared_ptr<SSL_CTX> context, MakeContext(files_));
  absl::MutexLock lock(&mutex_);
  context_ = std::move(context);
  return absl::OkStatus();
}

TlsSession TlsContext::NewSession() const {
  absl::MutexLock lock(&mutex_);
  return TlsSession(context_ == nullptr ? nullptr : SSL_new(context_.get()));
}

}  // namespace hybridserve::http
