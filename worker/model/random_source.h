#ifndef HYBRIDSERVE_WORKER_MODEL_RANDOM_SOURCE_H_
#define HYBRIDSERVE_WORKER_MODEL_RANDOM_SOURCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/model_config.h"
#include "worker/model/tensor_source.h"

namespace hybridserve {

// Weights made up from a seed, for measuring shapes without a checkpoint: every
// tensor that the config asks for, in its checkpoint dtype. Matrices, tables
// and biases are nearly normal with deviation 0.02, as OPT starts training;
// norm gains are 1 plus such noise, so that no term of the model is idle.
//
// An element depends on the seed, the tensor's name and the element's index
// alone, and is the same on every machine. Rows are made when read; nothing is
// kept. Thread-safe.
class RandomSource final : public TensorSource {
 public:
  RandomSource(const ModelConfig& config, uint64_t seed);

  std::vector<std::string> Names() const override;
  const TensorInfo* Find(absl::string_view name) const override;
  absl::Status ReadRows(absl::string_view name, int64_t first_row,
                        int64_t num_rows,
                        absl::FunctionRef<absl::Status(absl::Span<const char>)>
                            use) const override;
  std::string origin() const override;
  std::string fingerprint() const override;

 private:
  const uint64_t seed_;
  absl::btree_map<std::string, TensorInfo> tensors_;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_RANDOM_SOURCE_H_
