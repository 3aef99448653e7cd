#ifndef HYBRIDSERVE_COMMON_JSON_H_
#define HYBRIDSERVE_COMMON_JSON_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace hybridserve {

struct JsonLimits {
  int64_t max_bytes = int64_t{64} << 20;
  int max_depth = 64;  // Arrays and objects inside each other.
  // Keys and values, all told: what the parsed value's memory grows with.
  int64_t max_values = int64_t{16} << 20;
};

// Parses one JSON text from an untrusted source. InvalidArgument, naming the
// byte and the reason, if it is not JSON or not UTF-8, names a key of an object
// twice, or is beyond `limits`. Never throws; the stack it uses does not depend
// on `text`.
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text,
                                         const JsonLimits& limits = {});

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_JSON_H_
