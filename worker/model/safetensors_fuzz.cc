#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "glog/logging.h"
#include "worker/model/safetensors_header.h"
#include "worker/model/shard_index.h"

// Whatever the bytes are, parsing ends without a crash, and every tensor that
// is accepted lies inside the file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto* bytes = reinterpret_cast<const char*>(data);
  const absl::StatusOr<std::vector<hybridserve::SafetensorsEntry>> entries =
      hybridserve::ParseSafetensorsHeader(absl::MakeConstSpan(bytes, size),
                                          "fuzz.safetensors");
  if (entries.ok()) {
    for (const hybridserve::SafetensorsEntry& entry : *entries) {
      CHECK(entry.offset >= 0 && entry.bytes >= 0 &&
            entry.offset <= static_cast<int64_t>(size) - entry.bytes)
          << entry.name;
    }
  }
  static_cast<void>(
      hybridserve::ParseShardIndex(absl::string_view(bytes, size)));
  return 0;
}
