#ifndef HYBRIDSERVE_COMMON_SECURITY_TLS_MATERIAL_H_
#define HYBRIDSERVE_COMMON_SECURITY_TLS_MATERIAL_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/security/tls_files.h"

namespace hybridserve {

// What is in TlsFiles: PEM texts, empty where no file is named.
struct TlsMaterial {
  std::string certificate_chain;
  std::string key;
  std::string ca;
  // When the leaf certificate, the first, does; infinite without one.
  absl::Time expires = absl::InfiniteFuture();
};

// Reads the files, and sees that TLS can work with them: certificates that
// parse, a key that is the leaf's. An expired certificate passes, as clocks may
// be wrong: see `expires`.
//
// InvalidArgument naming the flag (--tls_certificate, --tls_key, --tls_ca), the
// file and the reason; never the content.
absl::StatusOr<TlsMaterial> ReadTlsMaterial(const TlsFiles& files);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_SECURITY_TLS_MATERIAL_H_
