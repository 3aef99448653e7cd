#include "kernels/testing/ops_harness.h"

#include <cstring>
#include <random>
#include <utility>

#include "glog/logging.h"
#include "kernels/element_convert.h"

namespace hybridserve {
namespace {

// `matrix` as elements of `dtype`, rows `stride` elements apart, all bits set
// between them.
std::vector<char> ToBytes(const Matrix& matrix, DType dtype, int64_t stride) {
  std::vector<char> bytes(matrix.rows * stride * SizeOf(dtype), '\xFF');
  for (int64_t r = 0; r < matrix.rows; ++r) {
    for (int64_t c = 0; c < matrix.cols; ++c) {
      const float value = static_cast<float>(matrix(r, c));
      ConvertElements(DType::kFloat32, &value, dtype,
                      bytes.data() + (r * stride + c) * SizeOf(dtype), 1);
    }
  }
  return bytes;
}

}  // namespace

OpsHarness::OpsHarness(Device& device)
    : device_(device), stream_(device.CreateStream(StreamKind::kCompute)) {}

OpsHarness::~OpsHarness() { CHECK(stream_->Synchronize().ok()); }

BufferView OpsHarness::ToDevice(const std::vector<char>& bytes) {
  const int64_t size = static_cast<int64_t>(bytes.size());
  auto host = device_.Allocate(MemorySpace::kHost, size);
  auto buffer = device_.Allocate(MemorySpace::kDevice, size);
  CHECK(host.ok() && buffer.ok()) << host.status() << buffer.status();
  if (size > 0) std::memcpy((*host)->host_bytes().data(), bytes.data(), size);
  const BufferView view{buffer->get(), 0, size};
  const CopyRun run{view, {host->get(), 0, size}};
  CHECK(stream_->Copy(absl::MakeConstSpan(&run, 1)).ok());
  CHECK(stream_->Synchronize().ok());
  buffers_.push_back(*std::move(buffer));
  return view;
}

TensorView OpsHarness::Put(const Matrix& matrix, DType dtype, int64_t padding) {
  const int64_t stride = matrix.cols + padding;
  const BufferView view = ToDevice(ToBytes(matrix, dtype, stride));
  return {view.buffer, 0, dtype, matrix.rows, matrix.cols, stride};
}

TensorView OpsHarness::Result(int64_t rows, int64_t cols, DType dtype,
                              int64_t padding) {
  const int64_t stride = cols + padding;
  const BufferView view =
      ToDevice(std::vector<char>(rows * stride * SizeOf(dtype), '\xFF'));
  return {view.buffer, 0, dtype, rows, cols, stride};
}

BufferView OpsHarness::PutWeight(const Matrix& weight, DType dtype) {
  const WeightShape shape{weight.rows, weight.cols, dtype};
  const WeightLayout& layout = device_.weight_layout();
  std::vector<char> blob(layout.PackedBytes(shape));
  const std::vector<char> rows = ToBytes(weight, dtype, weight.cols);
  const absl::Status status =
      layout.Pack(shape, dtype, rows, absl::MakeSpan(blob));
  CHECK(status.ok()) << status;
  return ToDevice(blob);
}

std::vector<char> OpsHarness::GetBytes(const TensorView& view) {
  const int64_t size = view.buffer->size();
  auto host = device_.Allocate(MemorySpace::kHost, size);
  CHECK(host.ok()) << host.status();
  const CopyRun run{{host->get(), 0, size}, {view.buffer, 0, size}};
  CHECK(stream_->Copy(absl::MakeConstSpan(&run, 1)).ok());
  const absl::Status status = stream_->Synchronize();
  CHECK(status.ok()) << status;
  std::vector<char> bytes;
  for (int64_t r = 0; r < view.rows; ++r) {
    const char* row = (*host)->host_bytes().data() + view.offset +
                      r * view.stride * SizeOf(view.dtype);
    bytes.insert(bytes.end(), row, row + view.cols * SizeOf(view.dtype));
  }
  return bytes;
}

Matrix OpsHarness::Get(const TensorView& view) {
  const std::vector<char> bytes = GetBytes(view);
  Matrix matrix(view.rows, view.cols);
  for (size_t i = 0; i < matrix.values.size(); ++i) {
    const char* from = bytes.data() + i * SizeOf(view.dtype);
    if (view.dtype == DType::kInt32) {
      int32_t value;
      std::memcpy(&value, from, sizeof(value));
      matrix.values[i] = value;
    } else {
      float value;
      ConvertElements(view.dtype, from, DType::kFloat32, &value, 1);
      matrix.values[i] = value;
    }
  }
  return matrix;
}

Matrix RandomMatrix(int64_t rows, int64_t cols, DType dtype, uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<float> normal;
  Matrix matrix(rows, cols);
  for (double& value : matrix.values) {
    float rounded = normal(rng);
    if (dtype == DType::kBFloat16) {
      rounded = BFloat16ToFloat(FloatToBFloat16(rounded));
    } else if (dtype == DType::kFloat16) {
      rounded = Float16ToFloat(FloatToFloat16(rounded));
    }
    value = rounded;
  }
  return matrix;
}

Matrix RowsOf(const Matrix& matrix, int64_t first, int64_t count) {
  Matrix part(count, matrix.cols);
  const auto begin = matrix.values.begin() + first * matrix.cols;
  part.values.assign(begin, begin + count * matrix.cols);
  return part;
}

}  // namespace hybridserve
