#ifndef HYBRIDSERVE_TESTS_EMULATION_INCLUDE_CUDA_RUNTIME_H_
#define HYBRIDSERVE_TESTS_EMULATION_INCLUDE_CUDA_RUNTIME_H_

// Stands for the CUDA runtime's header of this name in emulated builds: the
// part of CUDA C++ that the project's kernels keep to (docs/kernels.md).

#include <math.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <tuple>
#include <type_traits>

#include "cuda_runtime_api.h"
#include "tests/emulation/block.h"

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier)
struct dim3 {
  unsigned int x = 1;
  unsigned int y = 1;
  unsigned int z = 1;
  // As CUDA's, implicit.
  dim3(unsigned int x = 1, unsigned int y = 1, unsigned int z = 1)  // NOLINT
      : x(x), y(y), z(z) {}
};

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned int x, y;
};
struct alignas(16) uint4 {
  unsigned int x, y, z, w;
};

#define threadIdx (::hybridserve::emulation::ThreadIndex())
#define blockIdx (::hybridserve::emulation::BlockIndex())
#define blockDim (::hybridserve::emulation::BlockShape())
#define gridDim (::hybridserve::emulation::GridShape())

namespace hybridserve::emulation {

// Queues a kernel (runtime.cc).
cudaError_t LaunchEmulated(KernelLaunch launch, cudaStream_t stream);
// Largest dynamic shared memory of a kernel, by its address.
cudaError_t AllowSharedBytes(const void* kernel, int bytes);
cudaError_t CheckSharedBytes(const void* kernel, int64_t bytes);

template <typename T>
uint64_t ToWord(T value) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  uint64_t word = 0;
  std::memcpy(&word, &value, sizeof(T));
  return word;
}

template <typename T>
T FromWord(uint64_t word) {
  T value;
  std::memcpy(&value, &word, sizeof(T));
  return value;
}

template <typename T>
T Shuffle(unsigned int mask, T value, int source, const char* file, int line) {
  return FromWord<T>(ArriveAtWarpOp({.op = WarpOp::kShuffle,
                                     .mask = mask,
                                     .value = ToWord(value),
                                     .source = source,
                                     .file = file,
                                     .line = line}));
}

inline uint64_t Vote(unsigned int mask, bool value, const char* file,
                     int line) {
  return ArriveAtWarpOp({.op = WarpOp::kBallot,
                         .mask = mask,
                         .value = value ? 1U : 0U,
                         .file = file,
                         .line = line});
}

// Lane `lane` if it is in the caller's group of `width` lanes, else the caller.
inline int InGroup(int lane, int width) {
  const int own = LaneOfWarp();
  return lane >= 0 && lane / width == own / width ? lane : own;
}

}  // namespace hybridserve::emulation

inline void __syncthreads(const char* file = __builtin_FILE(),
                          int line = __builtin_LINE()) {
  hybridserve::emulation::WaitAtBarrier(file, line);
}

inline void __syncwarp(unsigned int mask = 0xffffffffU,
                       const char* file = __builtin_FILE(),
                       int line = __builtin_LINE()) {
  hybridserve::emulation::ArriveAtWarpOp(
      {.op = hybridserve::emulation::WarpOp::kSync,
       .mask = mask,
       .file = file,
       .line = line});
}

template <typename T>
T __shfl_sync(unsigned int mask, T value, int lane, int width = 32,
              const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) {
  namespace e = hybridserve::emulation;
  return e::Shuffle(mask, value, e::LaneOfWarp() / width * width + lane % width,
                    file, line);
}
template <typename T>
T __shfl_xor_sync(unsigned int mask, T value, int lanes, int width = 32,
                  const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
  namespace e = hybridserve::emulation;
  return e::Shuffle(mask, value, e::InGroup(e::LaneOfWarp() ^ lanes, width),
                    file, line);
}
template <typename T>
T __shfl_down_sync(unsigned int mask, T value, unsigned int lanes,
                   int width = 32, const char* file = __builtin_FILE(),
                   int line = __builtin_LINE()) {
  namespace e = hybridserve::emulation;
  return e::Shuffle(
      mask, value, e::InGroup(e::LaneOfWarp() + static_cast<int>(lanes), width),
      file, line);
}
template <typename T>
T __shfl_up_sync(unsigned int mask, T value, unsigned int lanes, int width = 32,
                 const char* file = __builtin_FILE(),
                 int line = __builtin_LINE()) {
  namespace e = hybridserve::emulation;
  return e::Shuffle(
      mask, value, e::InGroup(e::LaneOfWarp() - static_cast<int>(lanes), width),
      file, line);
}

inline unsigned int __ballot_sync(unsigned int mask, int value,
                                  const char* file = __builtin_FILE(),
                                  int line = __builtin_LINE()) {
  return static_cast<unsigned int>(
      hybridserve::emulation::Vote(mask, value != 0, file, line));
}
inline int __any_sync(unsigned int mask, int value,
                      const char* file = __builtin_FILE(),
                      int line = __builtin_LINE()) {
  return hybridserve::emulation::Vote(mask, value != 0, file, line) != 0 ? 1
                                                                         : 0;
}
inline int __all_sync(unsigned int mask, int value,
                      const char* file = __builtin_FILE(),
                      int line = __builtin_LINE()) {
  return hybridserve::emulation::Vote(mask, value == 0, file, line) == 0 ? 1
                                                                         : 0;
}

// Threads of a block take turns: none comes between. Heard as one access.
template <typename T>
__attribute__((noinline, no_sanitize_thread)) T EmulatedAtomic(
    T* address, T value, T (*combine)(T, T)) {
  namespace e = hybridserve::emulation;
  if (e::CurrentListener() != nullptr) {
    e::CurrentListener()->OnAccess(address, sizeof(T), e::AccessKind::kAtomic,
                                   true);
  }
  T before;
  std::memcpy(&before, address, sizeof(T));
  const T after = combine(before, value);
  std::memcpy(address, &after, sizeof(T));
  return before;
}
template <typename T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  return EmulatedAtomic<T>(address, value, [](T a, T b) { return a + b; });
}
template <typename T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  return EmulatedAtomic<T>(address, value,
                           [](T a, T b) { return a > b ? a : b; });
}

inline float rsqrtf(float x) { return 1.0F / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline int __popc(unsigned int x) { return std::popcount(x); }
inline int __ffs(int x) {
  return x == 0 ? 0 : std::countr_zero(static_cast<unsigned int>(x)) + 1;
}
inline unsigned int __float_as_uint(float x) {
  return std::bit_cast<unsigned int>(x);
}
inline float __uint_as_float(unsigned int x) { return std::bit_cast<float>(x); }
inline unsigned int __umulhi(unsigned int a, unsigned int b) {
  return static_cast<unsigned int>(uint64_t{a} * b >> 32);
}

// What a kernel is called with; a copy, made when it is launched.
template <typename... Parameters>
struct EmulatedCall {
  void (*kernel)(Parameters...);
  std::tuple<std::decay_t<Parameters>...> parameters;

  static void Run(const void* call) {
    const auto& self = *static_cast<const EmulatedCall*>(call);
    std::apply(self.kernel, self.parameters);
  }
};

template <typename... Parameters, typename... Arguments>
cudaError_t EmulatedLaunch(const char* name, void (*kernel)(Parameters...),
                           dim3 grid, dim3 block, size_t shared_bytes,
                           cudaStream_t stream, Arguments&&... arguments) {
  namespace e = hybridserve::emulation;
  const cudaError_t allowed =
      e::CheckSharedBytes(reinterpret_cast<const void*>(kernel),
                          static_cast<int64_t>(shared_bytes));
  if (allowed != cudaSuccess) return allowed;
  using Call = EmulatedCall<Parameters...>;
  return e::LaunchEmulated(
      {.name = name,
       .grid = {grid.x, grid.y, grid.z},
       .block = {block.x, block.y, block.z},
       .shared_bytes = static_cast<int64_t>(shared_bytes),
       .run = &Call::Run,
       .parameters = std::make_shared<Call>(
           Call{kernel, {static_cast<std::decay_t<Parameters>>(arguments)...}}),
       .parameter_bytes = sizeof(Call)},
      stream);
}

template <typename... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...),
                                 cudaFuncAttribute /*attribute*/, int value) {
  return hybridserve::emulation::AllowSharedBytes(
      reinterpret_cast<const void*>(kernel), value);
}
// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)

#endif  // HYBRIDSERVE_TESTS_EMULATION_INCLUDE_CUDA_RUNTIME_H_
