#ifndef HYBRIDSERVE_WORKER_MODEL_SAFETENSORS_HEADER_H_
#define HYBRIDSERVE_WORKER_MODEL_SAFETENSORS_HEADER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/dtype.h"

namespace hybridserve {

// One tensor of a safetensors file.
struct SafetensorsEntry {
  std::string name;  // As the file spells it.
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;
  int64_t offset = 0;  // Of its bytes, from the start of the file.
  int64_t bytes = 0;
};

// Reads the header of a safetensors file: a little-endian uint64, the length of
// the JSON object that follows, then the tensors' bytes. `bytes` is the whole
// file, of which only the header is read; `file` names it in messages.
//
// The file is not trusted. InvalidArgument, naming file, tensor and reason,
// unless the header is whole, at most 100 MB, JSON as the format wants it, and
// its tensors fill the rest of the file without gap or overlap, each with as
// many bytes as its shape and dtype say. Only F32, F16 and BF16 are supported.
// Entries come in the order of their offsets.
absl::StatusOr<std::vector<SafetensorsEntry>> ParseSafetensorsHeader(
    absl::Span<const char> bytes, absl::string_view file);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_SAFETENSORS_HEADER_H_
