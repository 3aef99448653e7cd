#ifndef HYBRIDSERVE_KERNELS_MATRIX_H_
#define HYBRIDSERVE_KERNELS_MATRIX_H_

#include <cstdint>
#include <vector>

namespace hybridserve {

// A dense row-major matrix of doubles: what the reference ops compute on.
struct Matrix {
  Matrix() = default;
  Matrix(int64_t rows, int64_t cols)
      : rows(rows), cols(cols), values(rows * cols) {}

  double& operator()(int64_t r, int64_t c) { return values[r * cols + c]; }
  double operator()(int64_t r, int64_t c) const { return values[r * cols + c]; }

  int64_t rows = 0;
  int64_t cols = 0;
  std::vector<double> values;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_MATRIX_H_
