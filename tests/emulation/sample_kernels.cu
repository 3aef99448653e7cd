#include "kernels/cuda/launch.h"
#include "tests/emulation/sample_kernels.h"

namespace hybridserve::emulation {
namespace {

constexpr unsigned int kAllLanes = 0xffffffff;
constexpr int kLanes = 32;
constexpr int kWarps = kBlockThreads / kLanes;

template <Mistake kMistake>
__device__ unsigned int Mask() {
  const unsigned int lane = threadIdx.x % kLanes;
  if (kMistake == Mistake::kShortMask) return 0x0000ffff;
  if (kMistake == Mistake::kOddMasks && lane % 2 == 1) return 0xaaaaaaaa;
  return kAllLanes;
}

template <Mistake kMistake>
__global__ void BlockSumKernel(const float* in, float* sums, int64_t n) {
  float* partial = SharedMemory<float>();  // [kWarps]
  const int64_t i = int64_t{blockIdx.x} * kBlockThreads + threadIdx.x;
  const int warp = static_cast<int>(threadIdx.x) / kLanes;
  float sum = 0;
  if (kMistake == Mistake::kOddAddress) {
    if (i + 1 < n) {
      sum = *reinterpret_cast<const float*>(
          reinterpret_cast<const char*>(in + i) + 2);
    }
  } else if (kMistake == Mistake::kNoBoundsCheck || i < n) {
    sum = in[i];
  }
  for (int lanes = kLanes / 2; lanes > 0; lanes /= 2) {
    sum += __shfl_xor_sync(Mask<kMistake>(), sum, lanes);
  }
  if (kMistake == Mistake::kOutsideLane && warp == 0 &&
      threadIdx.x < kLanes / 2) {
    sum += __shfl_sync(0x0000ffff, sum, 20);
  }
  if (kMistake == Mistake::kEarlyReturn && warp == kWarps - 1) return;
  const bool writes = kMistake != Mistake::kUnwritten || warp != 1;
  if (threadIdx.x % kLanes == 0 && writes) partial[warp] = sum;
  if (kMistake == Mistake::kDivergentBarrier) {
    if (warp == 0) {
      __syncthreads();
    } else {
      __syncthreads();
    }
  } else if (kMistake != Mistake::kNoBarrier) {
    __syncthreads();
  }
  if (threadIdx.x != 0) return;
  float total = 0;
  const int terms = kMistake == Mistake::kTooMuchShared ? kWarps + 1 : kWarps;
  for (int w = 0; w < terms; ++w) total += partial[w];
  sums[kMistake == Mistake::kSameOutput ? 0 : blockIdx.x] = total;
}

__global__ void CountByRestKernel(const uint32_t* in, uint32_t* counts,
                                  int64_t n) {
  const int64_t i = int64_t{blockIdx.x} * kBlockThreads + threadIdx.x;
  if (i < n) atomicAdd(&counts[in[i] % 4], 1);
}

LaunchShape ShapeFor(int64_t n) {
  return {.grid = static_cast<unsigned int>((n + kBlockThreads - 1) /
                                            kBlockThreads),
          .block = kBlockThreads,
          .shared_bytes = kWarps * sizeof(float)};
}

template <Mistake kMistake>
bool Queue(const float* in, float* sums, int64_t n, cudaStream_t stream) {
  return Launch("BlockSumKernel", BlockSumKernel<kMistake>, ShapeFor(n), stream,
                in, sums, n) == cudaSuccess;
}

}  // namespace

bool BlockSums(Mistake mistake, const float* in, float* sums, int64_t n,
               CUstream_st* stream) {
  switch (mistake) {
    case Mistake::kNone:
      return Queue<Mistake::kNone>(in, sums, n, stream);
    case Mistake::kNoBarrier:
      return Queue<Mistake::kNoBarrier>(in, sums, n, stream);
    case Mistake::kDivergentBarrier:
      return Queue<Mistake::kDivergentBarrier>(in, sums, n, stream);
    case Mistake::kEarlyReturn:
      return Queue<Mistake::kEarlyReturn>(in, sums, n, stream);
    case Mistake::kNoBoundsCheck:
      return Queue<Mistake::kNoBoundsCheck>(in, sums, n, stream);
    case Mistake::kShortMask:
      return Queue<Mistake::kShortMask>(in, sums, n, stream);
    case Mistake::kOddMasks:
      return Queue<Mistake::kOddMasks>(in, sums, n, stream);
    case Mistake::kOutsideLane:
      return Queue<Mistake::kOutsideLane>(in, sums, n, stream);
    case Mistake::kUnwritten:
      return Queue<Mistake::kUnwritten>(in, sums, n, stream);
    case Mistake::kSameOutput:
      return Queue<Mistake::kSameOutput>(in, sums, n, stream);
    case Mistake::kOddAddress:
      return Queue<Mistake::kOddAddress>(in, sums, n, stream);
    case Mistake::kTooMuchShared:
      return Queue<Mistake::kTooMuchShared>(in, sums, n, stream);
  }
  return false;
}

bool CountByRest(const uint32_t* in, uint32_t* counts, int64_t n,
                 CUstream_st* stream) {
  return Launch("CountByRestKernel", CountByRestKernel, ShapeFor(n), stream, in,
                counts, n) == cudaSuccess;
}

}  // namespace hybridserve::emulation
