#include "worker/model/weights_hash.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/dtype.h"
#include "common/model_config.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "glog/logging.h"
#include "worker/model/model_tensors.h"
#include "worker/model/tensor_source.h"

namespace hybridserve {
namespace {

constexpr int64_t kChunkBytes = int64_t{4} << 20;

// Texts carry their length, so that no two sequences of texts hash alike.
void Update(absl::string_view text, Sha256& hash) {
  hash.Update(absl::StrCat(text.size(), ":"));
  hash.Update(text);
}

absl::Status UpdateTensor(const TensorSource& source, const std::string& name,
                          const std::atomic<bool>& cancel, Sha256& hash) {
  const TensorInfo* info = source.Find(name);
  CHECK(info != nullptr) << name;
  Update(name, hash);
  Update(Name(info->dtype), hash);
  Update(absl::StrJoin(info->shape, ","), hash);
  const int64_t rows = info->shape[0];
  const int64_t row_bytes = info->RowElements() * SizeOf(info->dtype);
  const int64_t chunk_rows = std::max<int64_t>(kChunkBytes / row_bytes, 1);
  for (int64_t row = 0; row < rows; row += chunk_rows) {
    if (cancel) return absl::CancelledError("loading stopped");
    RETURN_IF_ERROR(source.ReadRows(name, row, std::min(chunk_rows, rows - row),
                                    [&hash](absl::Span<const char> bytes) {
                                      hash.Update(absl::string_view(
                                          bytes.data(), bytes.size()));
                                      return absl::OkStatus();
                                    }));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> HashWeights(const TensorSource& source,
                                        const ModelConfig& config,
                                        absl::string_view config_json,
                                        const std::atomic<bool>& cancel) {
  Sha256 hash;
  Update("hybridserve weights v1", hash);
  Update(config_json, hash);
  Update(source.fingerprint(), hash);
  if (source.fingerprint().empty()) {
    for (const ExpectedTensor& tensor : ModelTensors(config)) {
      RETURN_IF_ERROR(UpdateTensor(source, tensor.name, cancel, hash));
    }
  }
  return hash.Hex();
}

}  // namespace hybridserve
