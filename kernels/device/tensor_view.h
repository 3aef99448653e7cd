#ifndef HYBRIDSERVE_KERNELS_DEVICE_TENSOR_VIEW_H_
#define HYBRIDSERVE_KERNELS_DEVICE_TENSOR_VIEW_H_

#include <cstdint>

#include "common/dtype.h"
#include "kernels/device/buffer.h"

namespace hybridserve {

// A row-major matrix [rows, cols] inside a device buffer. Row r starts at
// offset + r * stride * SizeOf(dtype); stride >= cols. Borrowed.
struct TensorView {
  const Buffer* buffer = nullptr;
  int64_t offset = 0;  // Bytes.
  DType dtype = DType::kFloat32;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;  // Elements.

  bool empty() const { return buffer == nullptr; }
  // Rows [first, first + count).
  TensorView Rows(int64_t first, int64_t count) const {
    TensorView view = *this;
    view.offset += first * stride * SizeOf(dtype);
    view.rows = count;
    return view;
  }
  // Columns [first, first + count), the stride kept.
  TensorView Cols(int64_t first, int64_t count) const {
    TensorView view = *this;
    view.offset += first * SizeOf(dtype);
    view.cols = count;
    return view;
  }
};

// A dense matrix over the start of `bytes`.
inline TensorView MakeTensor(BufferView bytes, DType dtype, int64_t rows,
                             int64_t cols) {
  CHECK_LE(rows * cols * SizeOf(dtype), bytes.size);
  return {bytes.buffer, bytes.offset, dtype, rows, cols, cols};
}

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_DEVICE_TENSOR_VIEW_H_
