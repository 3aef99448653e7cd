// One block of kWarps warps a tile and head. Positions are taken in groups of
// block_tokens: warp w takes groups w, w + kWarps, ... in ascending order, with
// a running softmax (Milakov & Gimelshein 2018, arXiv:1805.02867) for each of
// the tile's rows; the warps' parts are put together in the order of warps. A
// lane holds elements lane, lane + 32, ... of the head. Grid: (tiles, heads).
//
// A row's result must not depend on the other rows of its tile, so that every
// rounding is written out: the compiler may not choose which products to fuse.
//
// Shared memory: tile rows x kWarps x (head_dim + 2) floats: sums, maxima,
// totals.

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
constexpr int64_t kMostTiles = int64_t{1} << 30;  // Below gridDim.x's.

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
#pragma unroll
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
                             const AttentionCudaTile& tile, int64_t position,
                             int64_t kv_head) {
  const int64_t in_row = kv_head * args.head_dim;
  if (position >= tile.num_cached) {
    const int64_t new_row = tile.first_new_row + position - tile.num_cached;
    return {static_cast<const E*>(args.new_k) + new_row * args.new_k_stride +
                in_row,
            static_cast<const E*>(args.new_v) + new_row * args.new_v_stride +
                in_row};
  }
  const KvBlockPointers block =
      args.blocks[tile.first_block + position / args.block_tokens];
  const int64_t offset =
      position % args.block_tokens * args.num_kv_heads * args.head_dim + in_row;
  return {static_cast<const E*>(block.k) + offset,
          static_cast<const E*>(block.v) + offset};
}

template <int kPerLane>
__device__ float Score(const float (&query)[kPerLane],
                       const float (&key)[kPerLane], float scale) {
  float product = 0;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) {
    product = __fmaf_rn(query[i], key[i], product);
  }
  return __fmul_rn(WarpSum(product), scale);
}

template <int kPerLane>
__device__ void AddPosition(float score, const float (&value)[kPerLane],
                            Partial<kPerLane>& partial) {
  const float max = score > partial.max ? score : partial.max;
  const float shrink = expf(partial.max - max);
  const float weight = expf(score - max);
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) {
    partial.sums[i] =
        __fmaf_rn(weight, value[i], __fmul_rn(partial.sums[i], shrink));
  }
  partial.total = __fmaf_rn(partial.total, shrink, weight);
  partial.max = max;
}

// Element `d` of a row, from its warps' parts: sums [kWarps, head_dim], maxima
// and totals [kWarps].
__device__ inline float Combine(const float* sums, const float* maxima,
                                const float* totals, int64_t head_dim,
                                int64_t d) {
  float max = maxima[0];  // Position 0 is warp 0's: it is finite or NaN.
  for (int w = 1; w < kWarps; ++w) max = maxima[w] > max ? maxima[w] : max;
  float sum = 0;
  float total = 0;
  for (int w = 0; w < kWarps; ++w) {
    const float shrink = expf(maxima[w] - max);
    sum = __fmaf_rn(sums[w * head_dim + d], shrink, sum);
    total = __fmaf_rn(totals[w], shrink, total);
  }
  return sum / total;
}

template <typename E, int kPerLane, int kRows>
__global__ void AttentionKernel(AttentionCudaArgs args) {
  const AttentionCudaTile tile = args.tiles[blockIdx.x];
  const int64_t head = blockIdx.y;
  const int64_t kv_head = head / (args.num_heads / args.num_kv_heads);
  const int warp = static_cast<int>(threadIdx.y);
  const int lane = static_cast<int>(threadIdx.x);
  const int64_t head_dim = args.head_dim;

  float query[kRows][kPerLane];
  Partial<kPerLane> partial[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    if (r >= tile.num_rows) continue;
    LoadHead(static_cast<const E*>(args.q) + (tile.row + r) * args.q_stride +
                 head * head_dim,
             head_dim, lane, query[r]);
  }
  const int64_t last = tile.position + tile.num_rows - 1;
  const int64_t stride = kWarps * args.block_tokens;
  for (int64_t group = warp * args.block_tokens; group <= last;
       group += stride) {
    for (int64_t p = group; p < group + args.block_tokens && p <= last; ++p) {
      const KeyAndValue<E> at = At<E>(args, tile, p, kv_head);
      float loaded[kPerLane];
      LoadHead(at.k, head_dim, lane, loaded);
      float scores[kRows];
      // The conditions are the same for the whole warp.
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        if (r >= tile.num_rows || p > tile.position + r) continue;
        scores[r] = Score(query[r], loaded, args.scale);
      }
      LoadHead(at.v, head_dim, lane, loaded);
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        if (r >= tile.num_rows || p > tile.position + r) continue;
        AddPosition(scores[r], loaded, partial[r]);
      }
    }
  }

  float* sums = SharedMemory<float>();  // [kRows, kWarps, head_dim]
  float* maxima = sums + kRows * kWarps * head_dim;  // [kRows, kWarps]
  float* totals = maxima + kRows * kWarps;           // [kRows, kWarps]
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    if (r >= tile.num_rows) continue;
    const int64_t part = r * kWarps + warp;
#pragma unroll
    for (int i = 0; i < kPerLane; ++i) {
      const int64_t d = lane + int64_t{i} * kWarpLanes;
      if (d < head_dim) sums[part * head_dim + d] = partial[r].sums[i];
    }
    if (lane == 0) {
      maxima[part] = partial[r].max;
      totals[part] = partial[r].total;
    }
  }
  __syncthreads();

  const int64_t threads = kWarps * kWarpLanes;
  for (int64_t i = warp * kWarpLanes + lane; i < tile.num_rows * head_dim;
       i += threads) {
    const int64_t r = i / head_dim;
    const int64_t d = i % head_dim;
    FromFloat(
        Combine(sums + r * kWarps * head_dim, maxima + r * kWarps,
                totals + r * kWarps, head_dim, d),
        static_cast<E*>(
            args.out)[(tile.row + r) * args.out_stride + head * head_dim + d]);
  }
}

template <typename E, int kPerLane, int kRows>
absl::Status QueueTiles(const AttentionCudaArgs& args, cudaStream_t stream) {
  const LaunchShape shape = {
      .grid = dim3(static_cast<unsigned int>(args.num_tiles),
                   static_cast<unsigned int>(args.num_heads)),
      .block = dim3(kWarpLanes, kWarps),
      .shared_bytes = sizeof(float) * kRows * kWarps * (args.head_dim + 2)};
  return CudaStatus(
      Launch("AttentionKernel", AttentionKernel<E, kPerLane, kRows>, shape,
             stream, args),
      "AttentionKernel");
}

template <typename E, int kPerLane>
absl::Status Queue(const AttentionCudaArgs& args, cudaStream_t stream) {
  // Single rows, as in decoding, take fewer registers: more of them run.
  if (args.most_rows <= 1) return QueueTiles<E, kPerLane, 1>(args, stream);
  constexpr int64_t kRows = AttentionTileRows(int64_t{kPerLane} * kWarpLanes);
  return QueueTiles<E, kPerLane, static_cast<int>(kRows)>(args, stream);
}

}  // namespace

absl::Status AttentionCuda(const AttentionCudaArgs& args, CUstream_st* stream) {
  if (args.head_dim > kMostHeadDim) {
    return absl::InvalidArgumentError(
        absl::StrCat("attention: heads of ", args.head_dim,
                     " elements; the device takes ", kMostHeadDim));
  }
  if (args.num_tiles == 0) return absl::OkStatus();
  CHECK_LE(args.num_tiles, kMostTiles);
  return WithElement(args.dtype, [&](auto element) {
    using E = decltype(element);
    if (args.head_dim <= kWarpLanes) return Queue<E, 1>(args, stream);
    if (args.head_dim <= 2 * kWarpLanes) return Queue<E, 2>(args, stream);
    if (args.head_dim <= 4 * kWarpLanes) return Queue<E, 4>(args, stream);
    return Queue<E, 8>(args, stream);
  });
}

}  // namespace hybridserve
