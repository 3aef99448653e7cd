#include "worker/device/cuda/cublas_gemm.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

// From cublas_api.h and library_types.h, whose values are part of the ABI.
enum Operation { kAsIs = 0, kTransposed = 1 };
enum DataType { kFloat32Data = 0, kFloat16Data = 2, kBFloat16Data = 14 };
constexpr int kComputeFloat32 = 68;  // CUBLAS_COMPUTE_32F
constexpr int kDefaultAlgorithm = -1;

int DataTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return kFloat16Data;
    case DType::kBFloat16:
      return kBFloat16Data;
    default:
      CHECK(dtype == DType::kFloat32) << Name(dtype);
      return kFloat32Data;
  }
}

absl::Status CublasStatus(int status, absl::string_view call) {
  if (status == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(call, ": cuBLAS status ", status));
}

}  // namespace

struct CublasGemm::Functions {
  int (*create)(void** handle) = nullptr;
  int (*destroy)(void* handle) = nullptr;
  int (*get_version)(void* handle, int* version) = nullptr;
  int (*set_stream)(void* handle, CUstream_st* stream) = nullptr;
  int (*set_workspace)(void* handle, void* memory, size_t bytes) = nullptr;
  int (*gemm)(void* handle, int a_operation, int b_operation, int m, int n,
              int k, const void* alpha, const void* a, int a_type, int a_stride,
              const void* b, int b_type, int b_stride, const void* beta,
              void* c, int c_type, int c_stride, int compute_type,
              int algorithm) = nullptr;

  // False if the library lacks one.
  bool Find(void* library) {
    const auto find = [&](const char* name, auto& function) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(
          dlsym(library, name));
      return function != nullptr;
    };
    return find("cublasCreate_v2", create) &&
           find("cublasDestroy_v2", destroy) &&
           find("cublasGetVersion_v2", get_version) &&
           find("cublasSetStream_v2", set_stream) &&
           find("cublasSetWorkspace_v2", set_workspace) &&
           find("cublasGemmEx", gemm);
  }
};

absl::StatusOr<std::unique_ptr<CublasGemm>> CublasGemm::Create(
    const std::vector<std::string>& libraries, void* workspace) {
  for (const std::string& name : libraries) {
    void* const library =
        dlopen(name.empty() ? nullptr : name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) continue;
    auto functions = std::make_unique<Functions>();
    if (!functions->Find(library)) {
      dlclose(library);
      continue;
    }
    std::unique_ptr<CublasGemm> gemm(
        new CublasGemm(library, std::move(functions), workspace));
    const Functions& of = *gemm->functions_;
    RETURN_IF_ERROR(CublasStatus(of.create(&gemm->handle_), "cublasCreate"));
    RETURN_IF_ERROR(CublasStatus(of.get_version(gemm->handle_, &gemm->version_),
                                 "cublasGetVersion"));
    return gemm;
  }
  return absl::UnavailableError(absl::StrCat(
      "no cuBLAS: none of ", absl::StrJoin(libraries, ", "),
      " can be opened; install the CUDA toolkit's libraries or set "
      "LD_LIBRARY_PATH"));
}

CublasGemm::CublasGemm(void* library, std::unique_ptr<Functions> functions,
                       void* workspace)
    : library_(library),
      functions_(std::move(functions)),
      workspace_(workspace) {}

CublasGemm::~CublasGemm() {
  if (handle_ != nullptr) functions_->destroy(handle_);
  dlclose(library_);
}

// A new stream makes cuBLAS forget the workspace.
absl::Status CublasGemm::SetStream(CUstream_st* stream) {
  if (stream == stream_) return absl::OkStatus();
  RETURN_IF_ERROR(
      CublasStatus(functions_->set_stream(handle_, stream), "cublasSetStream"));
  RETURN_IF_ERROR(CublasStatus(
      functions_->set_workspace(handle_, workspace_, kWorkspaceBytes),
      "cublasSetWorkspace"));
  stream_ = stream;
  return absl::OkStatus();
}

absl::Status CublasGemm::Run(const GemmArgs& args, CUstream_st* stream) {
  if (args.m == 0 || args.n == 0) return absl::OkStatus();
  RETURN_IF_ERROR(SetStream(stream));
  const float alpha = 1;
  const float beta = args.accumulate ? 1 : 0;
  // To cuBLAS, whose matrices go by columns, ours are transposed:
  // sums^T [n, m] = W [n, k] x^T [k, m].
  const int type = DataTypeOf(args.dtype);
  const int k_stride = static_cast<int>(args.k > 0 ? args.k : 1);
  return CublasStatus(
      functions_->gemm(handle_, kTransposed, kAsIs, static_cast<int>(args.n),
                       static_cast<int>(args.m), static_cast<int>(args.k),
                       &alpha, args.weight, type, k_stride, args.x, type,
                       static_cast<int>(args.x_stride > 0 ? args.x_stride : 1),
                       &beta, args.sums, kFloat32Data,
                       static_cast<int>(args.sums_stride), kComputeFloat32,
                       kDefaultAlgorithm),
      "cublasGemmEx");
}

}  // namespace hybridserve
