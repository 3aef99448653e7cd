#ifndef HYBRIDSERVE_COMMON_TESTING_TEST_CERTIFICATES_H_
#define HYBRIDSERVE_COMMON_TESTING_TEST_CERTIFICATES_H_

#include <string>

#include "absl/time/time.h"
#include "common/security/tls_files.h"

namespace hybridserve {

// Writes PATH.crt and PATH.key: a new key and its certificate, signed by
// itself, for 127.0.0.1 and localhost. Others trust it by PATH.crt as ca_file.
TlsFiles WriteTestCertificate(const std::string& path,
                              absl::Duration lifetime = absl::Hours(1));

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_TESTING_TEST_CERTIFICATES_H_
