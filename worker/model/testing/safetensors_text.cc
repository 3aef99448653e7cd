#include "worker/model/testing/safetensors_text.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/dtype.h"
#include "glog/logging.h"
#include "nlohmann/json.hpp"
#include "worker/model/tensor_source.h"

namespace hybridserve {
namespace {

std::string Spelling(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "F32";
    case DType::kBFloat16:
      return "BF16";
    case DType::kFloat16:
      return "F16";
    case DType::kInt32:
      return "I32";
  }
  LOG(FATAL) << "no such dtype";
}

}  // namespace

std::string SafetensorsBytes(absl::string_view header, absl::string_view data) {
  std::string length(8, '\0');
  for (int i = 0; i < 8; ++i) {
    length[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  }
  return absl::StrCat(length, header, data);
}

std::string SafetensorsBytes(const std::vector<TestTensor>& tensors) {
  nlohmann::json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const TestTensor& tensor : tensors) {
    const size_t begin = data.size();
    data += tensor.bytes;
    header[tensor.name] = {{"dtype", Spelling(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {begin, data.size()}}};
  }
  return SafetensorsBytes(header.dump(), data);
}

std::vector<TestTensor> CopyTensors(
    const TensorSource& source,
    absl::FunctionRef<std::string(absl::string_view)> rename) {
  std::vector<TestTensor> tensors;
  for (const std::string& name : source.Names()) {
    const TensorInfo& info = *source.Find(name);
    TestTensor tensor = {
        .name = rename(name), .dtype = info.dtype, .shape = info.shape};
    CHECK(source
              .ReadRows(name, 0, info.shape[0],
                        [&tensor](absl::Span<const char> bytes) {
                          tensor.bytes.assign(bytes.begin(), bytes.end());
                          return absl::OkStatus();
                        })
              .ok());
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace hybridserve
