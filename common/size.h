#ifndef HYBRIDSERVE_COMMON_SIZE_H_
#define HYBRIDSERVE_COMMON_SIZE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// Reads a size as flags give it: bytes ("4096"), or a decimal number and one of
// B, kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024), in
// any case, perhaps after spaces: "1.5GiB", "600 MB". Rounds down to bytes.
// InvalidArgument, quoting `text`, on anything else, on signs, and above 2^60.
absl::StatusOr<int64_t> ParseSize(absl::string_view text);

// Reads a bandwidth: a size, "/s" after it if you like, > 0. Bytes per second.
absl::StatusOr<int64_t> ParseBandwidth(absl::string_view text);

// For people: "512 B", "1.50 KiB", "12.3 GiB"; three digits. >= 0.
std::string FormatSize(int64_t bytes);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_SIZE_H_
