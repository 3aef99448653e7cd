#ifndef HYBRIDSERVE_COMMON_WIRE_SHA256_H_
#define HYBRIDSERVE_COMMON_WIRE_SHA256_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hybridserve {

// The SHA-256 of `data`: 32 bytes (FIPS 180-4).
std::string Sha256(absl::string_view data);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_WIRE_SHA256_H_
