#include "common/testing/test_certificates.h"

#include <cstdio>

#include "glog/logging.h"
#include "openssl/evp.h"
#include "openssl/pem.h"
#include "openssl/x509.h"
#include "openssl/x509v3.h"

namespace hybridserve {
namespace {

// Serial numbers differ, or OpenSSL would take two issuers for one.
int64_t NextSerial() {
  static int64_t serial = 0;
  return ++serial;
}

}  // namespace

TlsFiles WriteTestCertificate(const std::string& path,
                              absl::Duration lifetime) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  CHECK(key != nullptr);
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate), NextSerial());
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate),
                  absl::ToInt64Seconds(lifetime));
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  const std::string name = path.substr(path.rfind('/') + 1);
  X509_NAME_add_entry_by_txt(
      subject, "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(
      nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  X509_add_ext(certificate, names, -1);
  CHECK_GT(X509_sign(certificate, key, EVP_sha256()), 0);

  TlsFiles files{.certificate_file = path + ".crt", .key_file = path + ".key"};
  FILE* file = fopen(files.certificate_file.c_str(), "w");
  CHECK(file != nullptr);
  CHECK_EQ(PEM_write_X509(file, certificate), 1);
  fclose(file);
  file = fopen(files.key_file.c_str(), "w");
  CHECK(file != nullptr);
  CHECK_EQ(
      PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr),
      1);
  fclose(file);
  X509_EXTENSION_free(names);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

}  // namespace hybridserve
