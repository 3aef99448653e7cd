#ifndef HYBRIDSERVE_COMMON_DTYPE_H_
#define HYBRIDSERVE_COMMON_DTYPE_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace hybridserve {

// Element types of weights, activations and cache.
enum class DType { kFloat32, kBFloat16, kFloat16, kInt32 };

// Bytes of one element.
constexpr int64_t SizeOf(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kInt32 ? 4 : 2;
}

// "float32", "bfloat16", "float16", "int32": as flags and logs spell them.
constexpr absl::string_view Name(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "float32";
    case DType::kBFloat16:
      return "bfloat16";
    case DType::kFloat16:
      return "float16";
    case DType::kInt32:
      return "int32";
  }
  return "?";
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_DTYPE_H_
