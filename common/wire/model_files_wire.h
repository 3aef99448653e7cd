#ifndef HYBRIDSERVE_COMMON_WIRE_MODEL_FILES_WIRE_H_
#define HYBRIDSERVE_COMMON_WIRE_MODEL_FILES_WIRE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/worker_info.h"
#include "hybridserve/worker/v1/registration.pb.h"

namespace hybridserve {

// A file of ModelFiles: its name in the folder and on the wire.
struct ModelFileField {
  absl::string_view name;
  worker::v1::ModelFile wire;
  std::string ModelFiles::*content;
};
// In the order of the enum.
const std::array<ModelFileField, 7>& ModelFileFields();

// The chunks to send, file by file; empty files have none.
std::vector<worker::v1::FileChunk> ModelFilesToWire(const ModelFiles& files);

// What they must add up to.
std::vector<worker::v1::FileDigest> DigestsOf(const ModelFiles& files);

// Puts a registration's files together again.
//
// Thread-compatible.
class ModelFilesAssembler {
 public:
  static constexpr int64_t kMaxChunkBytes = int64_t{1} << 20;
  static constexpr int64_t kMaxTotalBytes = int64_t{256} << 20;

  // InvalidArgument, naming field or file, for unknown files, gaps, overlaps
  // and what is too large; nothing is kept of such a chunk.
  absl::Status Add(const worker::v1::FileChunk& chunk);

  // The files, if they are what `registration` says of them. InvalidArgument
  // naming the file if not. Leaves this empty.
  absl::StatusOr<ModelFiles> Finish(const worker::v1::Register& registration);

 private:
  ModelFiles files_;
  int64_t total_bytes_ = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_WIRE_MODEL_FILES_WIRE_H_
