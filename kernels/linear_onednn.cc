#include "kernels/linear_onednn.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "dnnl.hpp"
#include "glog/logging.h"
#include "hwy/aligned_allocator.h"
#include "kernels/element_convert.h"
#include "kernels/linear_finish.h"

// oneDNN's C++ interface throws; this file catches at its edge. oneDNN here
// runs on OpenMP, whose header only some compilers have.
extern "C" void omp_set_num_threads(int num_threads);

namespace hybridserve {
namespace {

using Tag = dnnl::memory::format_tag;

constexpr int64_t kPadding = 64;   // Output features.
constexpr int64_t kPackRows = 64;  // Rows that the weight format is chosen for.
constexpr int64_t kMaxRows = 256;  // Of one call to oneDNN.

int64_t RoundUp(int64_t value, int64_t to) {
  return (value + to - 1) / to * to;
}

// The least power of 2 that is not below `rows`.
int64_t Bucket(int64_t rows) {
  int64_t bucket = 1;
  while (bucket < rows) bucket *= 2;
  return bucket;
}

dnnl::memory::data_type DataType(DType dtype) {
  return dtype == DType::kBFloat16 ? dnnl::memory::data_type::bf16
                                   : dnnl::memory::data_type::f32;
}

const dnnl::engine& Cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// x [m, k] times weights [k, n], float32 out. `weights` empty: any format.
dnnl::matmul::primitive_desc Describe(int64_t m, int64_t n, int64_t k,
                                      DType dtype,
                                      const dnnl::memory::desc* weights) {
  const dnnl::memory::desc x({m, k}, DataType(dtype), Tag::ab);
  const dnnl::memory::desc any({k, n}, DataType(dtype), Tag::any);
  const dnnl::memory::desc y({m, n}, dnnl::memory::data_type::f32, Tag::ab);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::library);
  return {dnnl::matmul::desc(x, weights == nullptr ? any : *weights, y),
          attributes, Cpu()};
}

// What oneDNN made of (rows, padded n, k).
struct Primitive {
  dnnl::matmul::primitive_desc description;
  dnnl::matmul matmul;
};

class OneDnnLinear final : public LinearKernel, private WeightLayout {
 public:
  OneDnnLinear(DType dtype, std::string implementation)
      : dtype_(dtype), implementation_(std::move(implementation)) {}

  const WeightLayout& layout() const override { return *this; }
  std::string name() const override {
    return absl::StrCat("onednn ", implementation_);
  }
  void Run(const LinearCpuArgs& args, ThreadPool& pool) override;

 private:
  int64_t piece_alignment() const override { return kPadding; }
  int64_t PackedBytes(const WeightShape& shape) const override;
  absl::Status Pack(const WeightShape& shape, DType source,
                    absl::Span<const char> rows,
                    absl::Span<char> blob) const override;

  dnnl::memory::desc Format(int64_t padded_n, int64_t k) const;
  const Primitive& PrimitiveFor(int64_t rows, int64_t padded_n, int64_t k);

  const DType dtype_;
  const std::string implementation_;
  absl::Mutex mutex_;
  // By (rows, padded n, k). Never shrinks: references stay valid.
  std::map<std::tuple<int64_t, int64_t, int64_t>, Primitive> primitives_
      ABSL_GUARDED_BY(mutex_);
};

dnnl::memory::desc OneDnnLinear::Format(int64_t padded_n, int64_t k) const {
  return Describe(kPackRows, padded_n, k, dtype_, nullptr).weights_desc();
}

int64_t OneDnnLinear::PackedBytes(const WeightShape& shape) const {
  if (shape.n == 0 || shape.k == 0) return 0;
  const size_t bytes = Format(RoundUp(shape.n, kPadding), shape.k).get_size();
  return RoundUp(static_cast<int64_t>(bytes), 64);
}

absl::Status OneDnnLinear::Pack(const WeightShape& shape, DType source,
                                absl::Span<const char> rows,
                                absl::Span<char> blob) const {
  CHECK(shape.dtype == dtype_);
  const int64_t elements = shape.n * shape.k;
  if (static_cast<int64_t>(rows.size()) != elements * SizeOf(source) ||
      static_cast<int64_t>(blob.size()) != PackedBytes(shape)) {
    return absl::InvalidArgumentError(
        absl::StrCat("packing [", shape.n, ", ", shape.k, "]: ", rows.size(),
                     " bytes into ", blob.size()));
  }
  if (blob.empty()) return absl::OkStatus();
  const int64_t padded_n = RoundUp(shape.n, kPadding);
  const auto dense =
      hwy::AllocateAligned<char>(padded_n * shape.k * SizeOf(dtype_));
  std::memset(dense.get(), 0, padded_n * shape.k * SizeOf(dtype_));
  ConvertElements(source, rows.data(), dtype_, dense.get(), elements);
  try {
    // [n, k] in memory is [k, n] transposed.
    dnnl::memory from({{shape.k, padded_n}, DataType(dtype_), Tag::ba}, Cpu(),
                      dense.get());
    dnnl::memory to(Format(padded_n, shape.k), Cpu(), blob.data());
    dnnl::stream stream(Cpu());
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
  } catch (const dnnl::error& error) {
    return absl::InternalError(absl::StrCat("oneDNN: ", error.what()));
  }
  return absl::OkStatus();
}

const Primitive& OneDnnLinear::PrimitiveFor(int64_t rows, int64_t padded_n,
                                            int64_t k) {
  absl::MutexLock lock(&mutex_);
  const auto key = std::make_tuple(rows, padded_n, k);
  auto found = primitives_.find(key);
  if (found == primitives_.end()) {
    const dnnl::memory::desc format = Format(padded_n, k);
    const auto description = Describe(rows, padded_n, k, dtype_, &format);
    found = primitives_
                .emplace(key, Primitive{description, dnnl::matmul(description)})
                .first;
  }
  return found->second;
}

void OneDnnLinear::Run(const LinearCpuArgs& args, ThreadPool& pool) {
  if (args.n == 0 || args.k == 0) return OwnLinear().Run(args, pool);
  const int64_t padded_n = RoundUp(args.n, kPadding);
  const int64_t row_bytes = args.k * SizeOf(dtype_);
  omp_set_num_threads(pool.num_threads());  // Of this thread's teams only.
  for (int64_t first = 0; first < args.m; first += kMaxRows) {
    const int64_t rows = std::min(kMaxRows, args.m - first);
    const int64_t bucket = Bucket(rows);
    const auto x = hwy::AllocateAligned<char>(bucket * row_bytes);
    const auto y = hwy::AllocateAligned<float>(bucket * padded_n);
    for (int64_t r = 0; r < bucket; ++r) {
      char* to = x.get() + r * row_bytes;
      if (r < rows) {
        std::memcpy(to,
                    static_cast<const char*>(args.x) +
                        (first + r) * args.x_stride * SizeOf(dtype_),
                    row_bytes);
      } else {
        std::memset(to, 0, row_bytes);
      }
    }
    const Primitive& primitive = PrimitiveFor(bucket, padded_n, args.k);
    const auto& description = primitive.description;
    dnnl::stream stream(Cpu());
    primitive.matmul.execute(
        stream,
        {{DNNL_ARG_SRC, dnnl::memory(description.src_desc(), Cpu(), x.get())},
         {DNNL_ARG_WEIGHTS, dnnl::memory(description.weights_desc(), Cpu(),
                                         const_cast<void*>(args.weight))},
         {DNNL_ARG_DST, dnnl::memory(description.dst_desc(), Cpu(), y.get())}});
    stream.wait();
    FinishLinear(args, {.sums = y.get(),
                        .stride = padded_n,
                        .first_row = first,
                        .rows = rows,
                        .first_column = 0,
                        .columns = args.n});
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<LinearKernel>> CreateOneDnnLinear(
    DType dtype, bool any_implementation) {
  try {
    const auto description = Describe(kPackRows, kPadding, 64, dtype, nullptr);
    const std::string implementation = description.impl_info_str();
    if (!any_implementation && !absl::StartsWith(implementation, "brg")) {
      return absl::UnimplementedError(absl::StrCat(
          "oneDNN would use ", implementation, " for ", Name(dtype)));
    }
    return std::make_unique<OneDnnLinear>(dtype, implementation);
  } catch (const dnnl::error& error) {
    return absl::UnimplementedError(absl::StrCat(
        "oneDNN has no matmul for ", Name(dtype), ": ", error.what()));
  }
}

}  // namespace hybridserve
