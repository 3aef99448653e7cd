#include "worker/model/tensor_source.h"

#include "common/dtype.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(TensorInfoTest, CountsRowsAndBytes) {
  const TensorInfo matrix = {.dtype = DType::kBFloat16, .shape = {3, 5}};
  EXPECT_EQ(matrix.RowElements(), 5);
  EXPECT_EQ(matrix.Bytes(), 30);
  const TensorInfo vector = {.dtype = DType::kFloat32, .shape = {7}};
  EXPECT_EQ(vector.RowElements(), 1);
  EXPECT_EQ(vector.Bytes(), 28);
  const TensorInfo scalar = {.dtype = DType::kFloat32};
  EXPECT_EQ(scalar.Bytes(), 4);
  const TensorInfo empty = {.dtype = DType::kFloat32, .shape = {0, 4}};
  EXPECT_EQ(empty.Bytes(), 0);
}

}  // namespace
}  // namespace hybridserve
