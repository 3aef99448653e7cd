#include "common/security/tls_material.h"

#include <ctime>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/flag_file.h"
#include "common/status_macros.h"
#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/evp.h"
#include "openssl/pem.h"
#include "openssl/x509.h"

namespace hybridserve {
namespace {

struct Deleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <typename T>
using Owned = std::unique_ptr<T, Deleter>;

absl::Status BadFile(absl::string_view flag, const std::string& path,
                     absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, ": ", path, ": ", why));
}

Owned<BIO> Open(const std::string& text) {
  return Owned<BIO>(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// The first certificate of a PEM text that holds one or more and nothing
// broken.
absl::StatusOr<Owned<X509>> ParseCertificates(absl::string_view flag,
                                              const std::string& path,
                                              const std::string& text) {
  const Owned<BIO> bio = Open(text);
  Owned<X509> first;
  ERR_clear_error();
  while (Owned<X509> next{
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (first == nullptr) first = std::move(next);
  }
  const bool at_end =
      ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return BadFile(flag, path, "has a certificate that is broken");
  if (first == nullptr) return BadFile(flag, path, "has no PEM certificate");
  return first;
}

absl::StatusOr<Owned<EVP_PKEY>> ParseKey(const std::string& path,
                                         const std::string& text) {
  const Owned<BIO> bio = Open(text);
  // Never asks a terminal for a password.
  const auto no_password = [](char*, int, int, void*) { return 0; };
  Owned<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (key != nullptr) return key;
  return BadFile("tls_key", path,
                 "has no PEM private key, or one with a password");
}

absl::Time ExpiryOf(const X509& certificate) {
  std::tm time = {};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &time) != 1) {
    return absl::InfiniteFuture();
  }
  return absl::FromTM(time, absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<TlsMaterial> ReadTlsMaterial(const TlsFiles& files) {
  TlsMaterial material;
  if (files.certificate_file.empty() != files.key_file.empty()) {
    return absl::InvalidArgumentError(
        files.key_file.empty()
            ? "--tls_key: is missing beside --tls_certificate"
            : "--tls_certificate: is missing beside --tls_key");
  }
  if (!files.empty()) {
    const std::string& path = files.certificate_file;
    ASSIGN_OR_RETURN(material.certificate_chain,
                     ReadFlagFile("tls_certificate", path));
    ASSIGN_OR_RETURN(
        const Owned<X509> leaf,
        ParseCertificates("tls_certificate", path, material.certificate_chain));
    ASSIGN_OR_RETURN(material.key, ReadFlagFile("tls_key", files.key_file));
    ASSIGN_OR_RETURN(const Owned<EVP_PKEY> key,
                     ParseKey(files.key_file, material.key));
    const bool fits = X509_check_private_key(leaf.get(), key.get()) == 1;
    ERR_clear_error();
    if (!fits) {
      return BadFile("tls_key", files.key_file,
                     absl::StrCat("is not the key of ", path));
    }
    material.expires = ExpiryOf(*leaf);
  }
  if (!files.ca_file.empty()) {
    ASSIGN_OR_RETURN(material.ca, ReadFlagFile("tls_ca", files.ca_file));
    RETURN_IF_ERROR(
        ParseCertificates("tls_ca", files.ca_file, material.ca).status());
  }
  return material;
}

}  // namespace hybridserve
