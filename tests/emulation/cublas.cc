// Stands for the cuBLAS functions that the project opens at run time: the same
// names and argument lists, found in the program itself. As hardware's it adds
// in float, in an order that depends on the product's shape: a row has other
// bits in other company.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cuda_bf16.h"
#include "cuda_fp16.h"
#include "tests/emulation/emulated_device.h"
#include "tests/emulation/fault_log.h"

namespace hybridserve::emulation {
namespace {

constexpr int kSuccess = 0;
constexpr int kInvalidValue = 7;
constexpr int kTransposed = 1;
enum DataType { kFloat32 = 0, kFloat16 = 2, kBFloat16 = 14 };

struct Handle {
  cudaStream_t stream = nullptr;
  ByteRange workspace;  // Empty: of cuBLAS's own.
};

int64_t SizeOfType(int type) { return type == kFloat32 ? 4 : 2; }

float Load(const void* base, int type, int64_t index) {
  switch (type) {
    case kFloat16:
      return __half2float(static_cast<const __half*>(base)[index]);
    case kBFloat16:
      return __bfloat162float(static_cast<const __nv_bfloat16*>(base)[index]);
    default:
      return static_cast<const float*>(base)[index];
  }
}

// A column-major matrix.
struct Operand {
  const void* base;
  int type;
  int64_t stride;
  bool transposed;

  float At(int64_t row, int64_t column) const {
    return transposed ? Load(base, type, column + row * stride)
                      : Load(base, type, row + column * stride);
  }
  // Bytes of a [rows, columns] operand, before transposing as stored.
  ByteRange Range(int64_t rows, int64_t columns, bool written) const {
    if (transposed) std::swap(rows, columns);
    const auto begin = reinterpret_cast<uintptr_t>(base);
    const int64_t elements =
        rows == 0 || columns == 0 ? 0 : (columns - 1) * stride + rows;
    return {begin, begin + elements * SizeOfType(type), written};
  }
};

// One range a column: what lies between columns is not touched.
void AddColumns(const Operand& operand, int64_t rows, int64_t columns,
                bool written, std::vector<ByteRange>& touched) {
  if (operand.transposed) std::swap(rows, columns);
  const auto begin = reinterpret_cast<uintptr_t>(operand.base);
  const int64_t size = SizeOfType(operand.type);
  for (int64_t c = 0; c < columns; ++c) {
    const uintptr_t from = begin + c * operand.stride * size;
    touched.push_back({from, from + rows * size, written});
  }
}

bool IsDeviceMemory(const ByteRange& range) {
  if (range.begin == range.end) return true;
  const auto found = EmulatedDevice::Get().memory().Find(range.begin);
  return found.has_value() && !found->freed && range.end <= found->end();
}

// How many sums over every so many of the k products are made apart, before
// they are added up: as split-K algorithms do, chosen by the shape.
int64_t SplitsOf(int64_t m, int64_t n, int64_t k) {
  return 1 + (m / 16 + n * 3 + k) % 4;
}

// left [m, k] x right [k, n], by columns: [n, m]. Sums of a column's elements
// go on side by side, which is several times faster than one after the other.
std::vector<float> Product(const Operand& left, const Operand& right, int64_t m,
                           int64_t n, int64_t k) {
  std::vector<float> by_k(k * m);
  for (int64_t row = 0; row < m; ++row) {
    for (int64_t i = 0; i < k; ++i) by_k[i * m + row] = left.At(row, i);
  }
  const int64_t splits = SplitsOf(m, n, k);
  std::vector<float> product(n * m);
  std::vector<float> sums(m);
  for (int64_t column = 0; column < n; ++column) {
    float* const total = product.data() + column * m;
    for (int64_t split = 0; split < splits; ++split) {
      std::fill(sums.begin(), sums.end(), 0.0F);
      for (int64_t i = split; i < k; i += splits) {
        const float factor = right.At(i, column);
        const float* const of_k = by_k.data() + i * m;
        for (int64_t row = 0; row < m; ++row) sums[row] += of_k[row] * factor;
      }
      for (int64_t row = 0; row < m; ++row) total[row] += sums[row];
    }
  }
  return product;
}

}  // namespace
}  // namespace hybridserve::emulation

using hybridserve::emulation::ByteRange;
using hybridserve::emulation::EmulatedDevice;
using hybridserve::emulation::Handle;
using hybridserve::emulation::Operand;

extern "C" {

int cublasCreate_v2(void** handle) {
  *handle = new Handle;
  return hybridserve::emulation::kSuccess;
}

int cublasDestroy_v2(void* handle) {
  delete static_cast<Handle*>(handle);
  return hybridserve::emulation::kSuccess;
}

int cublasGetVersion_v2(void* /*handle*/, int* version) {
  *version = 120000;
  return hybridserve::emulation::kSuccess;
}

int cublasSetStream_v2(void* handle, cudaStream_t stream) {
  auto* const set = static_cast<Handle*>(handle);
  set->stream = stream;
  set->workspace = {};
  return hybridserve::emulation::kSuccess;
}

int cublasSetWorkspace_v2(void* handle, void* memory, size_t bytes) {
  namespace e = hybridserve::emulation;
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  const ByteRange workspace = {begin, begin + bytes, true};
  if (begin % 256 != 0 || !e::IsDeviceMemory(workspace)) {
    AddFault(e::FaultKind::kBadArgument, "cublasSetWorkspace",
             "not aligned to 256 bytes, or not live memory of the device");
    return e::kInvalidValue;
  }
  static_cast<Handle*>(handle)->workspace = workspace;
  return e::kSuccess;
}

int cublasGemmEx(void* handle, int a_operation, int b_operation, int m, int n,
                 int k, const void* alpha, const void* a, int a_type,
                 int a_stride, const void* b, int b_type, int b_stride,
                 const void* beta, void* c, int c_type, int c_stride,
                 int /*compute_type*/, int /*algorithm*/) {
  namespace e = hybridserve::emulation;
  const Operand left = {a, a_type, a_stride, a_operation == e::kTransposed};
  const Operand right = {b, b_type, b_stride, b_operation == e::kTransposed};
  const Operand out = {c, c_type, c_stride, false};
  if (m < 0 || n < 0 || k < 0 || c_type != e::kFloat32 ||
      c_stride < std::max(1, m) ||
      a_stride < std::max(1, left.transposed ? k : m) ||
      b_stride < std::max(1, right.transposed ? n : k)) {
    AddFault(e::FaultKind::kBadArgument, "cublasGemmEx",
             absl::StrCat("m=", m, " n=", n, " k=", k, " strides ", a_stride,
                          ", ", b_stride, ", ", c_stride));
    return e::kInvalidValue;
  }
  const ByteRange workspace = static_cast<Handle*>(handle)->workspace;
  const float scale = *static_cast<const float*>(alpha);
  const float keep = *static_cast<const float*>(beta);
  const cudaError_t error = EmulatedDevice::Get().Enqueue(
      static_cast<Handle*>(handle)->stream,
      {.name = "cublasGemmEx", .run = [=](std::vector<ByteRange>& touched) {
         for (const ByteRange& range :
              {left.Range(m, k, false), right.Range(k, n, false),
               out.Range(m, n, true)}) {
           if (e::IsDeviceMemory(range)) continue;
           AddFault(e::FaultKind::kOutOfBounds, "cublasGemmEx",
                    "a matrix is not in live memory of the device");
           return false;
         }
         const std::vector<float> product = e::Product(left, right, m, n, k);
         for (int64_t column = 0; column < n; ++column) {
           auto* const to = static_cast<float*>(c) + column * c_stride;
           const float* const sums = product.data() + column * m;
           for (int64_t row = 0; row < m; ++row) {
             // What was there does not count with 0, NaN or not.
             to[row] = scale * sums[row] + (keep == 0 ? 0 : keep * to[row]);
           }
         }
         AddColumns(left, m, k, false, touched);
         AddColumns(right, k, n, false, touched);
         AddColumns(out, m, n, true, touched);
         // Two products at once in one workspace would spoil each other.
         if (workspace.begin != workspace.end) touched.push_back(workspace);
         return true;
       }});
  return error == cudaSuccess ? e::kSuccess : e::kInvalidValue;
}

}  // extern "C"
