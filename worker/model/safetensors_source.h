#ifndef HYBRIDSERVE_WORKER_MODEL_SAFETENSORS_SOURCE_H_
#define HYBRIDSERVE_WORKER_MODEL_SAFETENSORS_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "worker/model/mapped_file.h"
#include "worker/model/tensor_source.h"

namespace hybridserve {

// The tensors of a Hugging Face folder: model.safetensors, or the shards that
// model.safetensors.index.json lists, or else every *.safetensors file there.
// Reads are from the mapped files, whose pages are dropped behind each read, so
// that the process holds little more than what is being read. Thread-safe.
class SafetensorsSource final : public TensorSource {
 public:
  // Opens and checks every file's header; messages name file and tensor.
  // `prefix` is TensorPrefix() of the model.
  // NotFound if the folder has no safetensors; InvalidArgument for a damaged or
  // contradictory file, one tensor in two files, or one that the index puts
  // where it isn't; FailedPrecondition if there are PyTorch files only.
  static absl::StatusOr<std::unique_ptr<SafetensorsSource>> Open(
      const std::string& folder, absl::string_view prefix);

  std::vector<std::string> Names() const override;
  const TensorInfo* Find(absl::string_view name) const override;
  absl::Status ReadRows(absl::string_view name, int64_t first_row,
                        int64_t num_rows,
                        absl::FunctionRef<absl::Status(absl::Span<const char>)>
                            use) const override;
  std::string origin() const override { return origin_; }
  std::string fingerprint() const override { return ""; }

 private:
  struct Location {
    TensorInfo info;
    size_t file = 0;  // Index into files_.
    int64_t offset = 0;
  };

  explicit SafetensorsSource(absl::string_view prefix) : prefix_(prefix) {}

  // Maps one file and adds its tensors.
  absl::Status AddFile(const std::string& folder, const std::string& file);
  // Keeps exactly the tensors that the index lists, each in the right file.
  absl::Status AddShards(const std::string& folder);

  const std::string prefix_;
  std::string origin_;
  std::vector<MappedFile> files_;
  absl::btree_map<std::string, Location> tensors_;
};

// The name that transformers gives a causal language model's tensor, for one as
// a file spells it: with or without "model." and "decoder.". `prefix`: see
// SafetensorsSource::Open().
std::string CanonicalTensorName(absl::string_view name,
                                absl::string_view prefix);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_SAFETENSORS_SOURCE_H_
