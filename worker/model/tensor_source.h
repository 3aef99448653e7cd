#ifndef HYBRIDSERVE_WORKER_MODEL_TENSOR_SOURCE_H_
#define HYBRIDSERVE_WORKER_MODEL_TENSOR_SOURCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/dtype.h"

namespace hybridserve {

struct TensorInfo {
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;
  std::string origin;  // For messages: the file that holds it.

  // Elements of everything after the first dimension; a vector's row is one
  // element.
  int64_t RowElements() const;
  int64_t Bytes() const;
};

// Where a model's tensors come from: files or a generator. Tensors go by the
// names that transformers gives a causal language model
// ("model.decoder.layers.0.fc1.weight"), however the files spell them.
// Thread-safe.
class TensorSource {
 public:
  virtual ~TensorSource() = default;

  // Every name, sorted.
  virtual std::vector<std::string> Names() const = 0;

  // What is known of a tensor; null if there is none. Owned by the source.
  virtual const TensorInfo* Find(absl::string_view name) const = 0;

  // Calls `use` once with the bytes of rows [first_row, first_row + num_rows)
  // along the first dimension, little-endian and row-major, perhaps unaligned,
  // valid during the call only. Returns what `use` returned, or the reading's
  // own error. The tensor exists and has these rows (CHECKed).
  virtual absl::Status ReadRows(
      absl::string_view name, int64_t first_row, int64_t num_rows,
      absl::FunctionRef<absl::Status(absl::Span<const char>)> use) const = 0;

  // For messages about the whole: a file's name, or what makes the tensors.
  virtual std::string origin() const = 0;

  // A text that determines every byte of every tensor given config.json, for
  // sources that are made by rule; empty: only the bytes themselves do.
  virtual std::string fingerprint() const = 0;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_TENSOR_SOURCE_H_
