// One block of kWarps warps a row and head. Positions are taken in groups of
// block_tokens: warp w takes groups w, w + kWarps, ... in ascending order, with
// a running softmax (Milakov & Gimelshein 2018, arXiv:1805.02867); the warps'
// parts are put together in the order of warps. A lane holds elements lane,
// lane + 32, ... of the head. Grid: (rows, heads).
//
// Shared memory: kWarps times (head_dim + 2) floats: sums, maximum, total.

#include <cmath>

#include "absl/strings/str_cat.h"
#include "kernels/attention_cuda.h"
#include "kernels/cuda/element.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/status.h"
#include "kernels/cuda/warp.h"

namespace hybridserve {
namespace {

constexpr int kWarps = 8;
constexpr int64_t kMostRowsAtOnce = int64_t{1} << 30;  // Below gridDim.x's.

// A warp's part of a softmax over positions, and of the values under it.
template <int kPerLane>
struct Partial {
  float max = -INFINITY;
  float total = 0;
  float sums[kPerLane] = {};
};

// Elements lane, lane + 32, ... of a head; 0 beyond its end.
template <typename E, int kPerLane>
__device__ void LoadHead(const E* from, int64_t head_dim, int lane,
                         float (&to)[kPerLane]) {
  for (int i = 0; i < kPerLane; ++i) {
    const int64_t d = lane + int64_t{i} * kWarpLanes;
    to[i] = d < head_dim ? ToFloat(from[d]) : 0.0F;
  }
}

template <typename E>
struct KeyAndValue {
  const E* k;
  const E* v;
};

// Where the key and value of `position` begin, of head `kv_head`.
template <typename E>
__device__ KeyAndValue<E> At(const AttentionCudaArgs& args,
                             const AttentionCudaRow& row, int64_t position,
                             int64_t kv_head) {
  const int64_t in_row = kv_head * args.head_dim;
  if (position >= row.num_cached) {
    const int64_t new_row = row.first_new_row + position - row.num_cached;
    return {static_cast<const E*>(args.new_k) + new_row * args.new_k_stride +
                in_row,
            static_cast<const E*>(args.new_v) + new_row * args.new_v_stride +
                in_row};
  }
  const KvBlockPointers block =
      args.blocks[row.first_block + position / args.block_tokens];
  const int64_t offset =
      position % args.block_tokens * args.num_kv_heads * args.head_dim + in_row;
  return {static_cast<const E*>(block.k) + offset,
          static_cast<const E*>(block.v) + offset};
}

template <typename E, int kPerLane>
__device__ void AddPosition(const KeyAndValue<E>& at, int64_t head_dim,
                            int lane, float scale,
                            const float (&query)[kPerLane],
                            Partial<kPerLane>& partial) {
  float loaded[kPerLane];
  LoadHead(at.k, head_dim, lane, loaded);
  float product = 0;
  for (int i = 0; i < kPerLane; ++i) product += query[i] * loaded[i];
  const float score = WarpSum(product) * scale;
  const float max = score > partial.max ? score : partial.max;
  const float shrink = expf(partial.max - max);
  const float weight = expf(score - max);
  LoadHead(at.v, head_dim, lane, loaded);
  for (int i = 0; i < kPerLane; ++i) {
    partial.sums[i] = partial.sums[i] * shrink + weight * loaded[i];
  }
  partial.total = partial.total * shrink + weight;
  partial.max = max;
}

template <typename E, int kPerLane>
__global__ void AttentionKernel(AttentionCudaArgs args) {
  const AttentionCudaRow row = args.rows[blockIdx.x];
  const int64_t head = blockIdx.y;
  const int64_t kv_head = head / (args.num_heads / args.num_kv_heads);
  const int warp = static_cast<int>(threadIdx.y);
  const int lane = static_cast<int>(threadIdx.x);

  float query[kPerLane];
  LoadHead(static_cast<const E*>(args.q) + row.row * args.q_stride +
               head * args.head_dim,
           args.head_dim, lane, query);
  Partial<kPerLane> partial;
  const int64_t stride = kWarps * args.block_tokens;
  for (int64_t group = warp * args.block_tokens; group <= row.position;
       group += stride) {
    for (int64_t p = group; p < group + args.block_tokens && p <= row.position;
         ++p) {
      AddPosition(At<E>(args, row, p, kv_head), args.head_dim, lane, args.scale,
                  query, partial);
    }
  }

  float* sums = SharedMemory<float>();  // [kWarps, head_dim]
  float* maxima = sums + kWarps * args.head_dim;
  float* totals = maxima + kWarps;
  for (int i = 0; i < kPerLane; ++i) {
    const int64_t d = lane + int64_t{i} * kWarpLanes;
    if (d < args.head_dim) sums[warp * args.head_dim + d] = partial.sums[i];
  }
  if (lane == 0) {
    maxima[warp] = partial.max;
    totals[warp] = partial.total;
  }
  __syncthreads();

  float max = maxima[0];  // Position 0 is warp 0's: it is finite or NaN.
  for (int w = 1; w < kWarps; ++w) max = maxima[w] > max ? maxima[w] : max;
  E* out = static_cast<E*>(args.out) + row.row * args.out_stride +
           head * args.head_dim;
  const int64_t threads = kWarps * kWarpLanes;
  for (int64_t d = warp * kWarpLanes + lane; d < args.head_dim; d += threads) {
    float sum = 0;
    float total = 0;
    for (int w = 0; w < kWarps; ++w) {
      const float shrink = expf(maxima[w] - max);
      sum += sums[w * args.head_dim + d] * shrink;
      total += totals[w] * shrink;
    }
    FromFloat(sum / total, out[d]);
  }
}

template <typename E, int kPerLane>
absl::Status Queue(const AttentionCudaArgs& args, cudaStream_t stream) {
  const LaunchShape shape = {
      .grid = dim3(static_cast<unsigned int>(args.num_rows),
                   static_cast<unsigned int>(args.num_heads)),
      .block = dim3(kWarpLanes, kWarps),
      .shared_bytes = sizeof(float) * kWarps * (args.head_dim + 2)};
  return CudaStatus(Launch("AttentionKernel", AttentionKernel<E, kPerLane>,
                           shape, stream, args),
                    "AttentionKernel");
}

}  // namespace

absl::Status AttentionCuda(const AttentionCudaArgs& args, CUstream_st* stream) {
  if (args.head_dim > kMostHeadDim) {
    return absl::InvalidArgumentError(
        absl::StrCat("attention: heads of ", args.head_dim,
                     " elements; the device takes ", kMostHeadDim));
  }
  if (args.num_rows == 0) return absl::OkStatus();
  CHECK_LE(args.num_rows, kMostRowsAtOnce);
  return WithElement(args.dtype, [&](auto element) {
    using E = decltype(element);
    if (args.head_dim <= kWarpLanes) return Queue<E, 1>(args, stream);
    if (args.head_dim <= 2 * kWarpLanes) return Queue<E, 2>(args, stream);
    if (args.head_dim <= 4 * kWarpLanes) return Queue<E, 4>(args, stream);
    return Queue<E, 8>(args, stream);
  });
}

}  // namespace hybridserve
