#ifndef HYBRIDSERVE_WORKER_MODEL_TESTING_SAFETENSORS_TEXT_H_
#define HYBRIDSERVE_WORKER_MODEL_TESTING_SAFETENSORS_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "common/dtype.h"
#include "worker/model/tensor_source.h"

namespace hybridserve {

struct TestTensor {
  std::string name;
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;
  std::string bytes;
};

// A safetensors file's bytes from its parts: length, header, data.
std::string SafetensorsBytes(absl::string_view header, absl::string_view data);

// A sound file with these tensors, in this order.
std::string SafetensorsBytes(const std::vector<TestTensor>& tensors);

// Every tensor of `source`, named by `rename` of its canonical name.
std::vector<TestTensor> CopyTensors(
    const TensorSource& source,
    absl::FunctionRef<std::string(absl::string_view)> rename);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_TESTING_SAFETENSORS_TEXT_H_
