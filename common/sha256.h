#ifndef HYBRIDSERVE_COMMON_SHA256_H_
#define HYBRIDSERVE_COMMON_SHA256_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

struct evp_md_ctx_st;  // EVP_MD_CTX, so that users need no OpenSSL headers.

namespace hybridserve {

// SHA-256 of bytes that come piece by piece (FIPS 180-4). Thread-compatible.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(absl::string_view bytes);

  // The digest of all bytes so far as 64 lower-case hex digits. Called once, as
  // the last.
  std::string Hex();

 private:
  struct Deleter {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Deleter> context_;
};

// Of one text.
std::string Sha256Hex(absl::string_view bytes);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_SHA256_H_
