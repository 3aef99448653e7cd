#ifndef HYBRIDSERVE_KERNELS_TESTING_OPS_HARNESS_H_
#define HYBRIDSERVE_KERNELS_TESTING_OPS_HARNESS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "common/dtype.h"
#include "kernels/device/device.h"
#include "kernels/device/tensor_view.h"
#include "kernels/matrix.h"
#include "kernels/ops.h"
#include "kernels/weight_layout.h"

namespace hybridserve {

// Moves matrices to a device and results back, so that tests read as formulas.
// Any failure is fatal to the test program. Thread-compatible.
class OpsHarness {
 public:
  // `device` outlives the harness.
  explicit OpsHarness(Device& device);
  ~OpsHarness();

  // Copies `matrix`, rounded to `dtype`, to device memory that lives as long
  // as the harness. Rows are `padding` elements apart more than they need.
  TensorView Put(const Matrix& matrix, DType dtype, int64_t padding = 0);
  // Device memory for a result, filled with bytes of 0xFF (NaN).
  TensorView Result(int64_t rows, int64_t cols, DType dtype,
                    int64_t padding = 0);
  // Packs [n, k] weights for the device.
  BufferView PutWeight(const Matrix& weight, DType dtype);

  // Waits for queued ops and reads a tensor. Values, or the raw bytes of rows
  // without what lies between them.
  Matrix Get(const TensorView& view);
  std::vector<char> GetBytes(const TensorView& view);

  Device& device() { return device_; }
  Ops& ops() { return device_.ops(); }
  Stream& stream() { return *stream_; }

 private:
  BufferView ToDevice(const std::vector<char>& bytes);

  Device& device_;
  std::unique_ptr<Stream> stream_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
};

// Normally distributed, rounded to `dtype` so that references see what the
// device sees. The same for the same seed.
Matrix RandomMatrix(int64_t rows, int64_t cols, DType dtype, uint64_t seed);

// Rows [first, first + count) of `matrix`.
Matrix RowsOf(const Matrix& matrix, int64_t first, int64_t count);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_TESTING_OPS_HARNESS_H_
