#include "worker/model/tensor_source.h"

#include <cstddef>
#include <cstdint>

#include "common/dtype.h"

namespace hybridserve {

int64_t TensorInfo::RowElements() const {
  int64_t elements = 1;
  for (size_t i = 1; i < shape.size(); ++i) elements *= shape[i];
  return elements;
}

int64_t TensorInfo::Bytes() const {
  const int64_t rows = shape.empty() ? 1 : shape[0];
  return rows * RowElements() * SizeOf(dtype);
}

}  // namespace hybridserve
