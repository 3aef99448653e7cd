// Packed GEMM with fixed summation order.
//
// The vector lanes are output features, so every element of the result owns
// one accumulator and sees its products in ascending k; nothing else (rows in
// company, tile shape, cache blocking, threads, vector width) can touch the
// order. Blocking over k stores the accumulators as float32 and reloads them,
// which loses nothing.
//
// Per block of up to 240 rows: x is repacked (and widened) into row tiles
// [k][rows of the tile], so that a step of k reads consecutive floats to
// broadcast; then groups of 8 panels are shared out over the threads. A group
// runs a slice of k at a time, its panel slice staying in L1 while all row
// tiles pass over it. With one row tile the slice is all of k and several
// panels run side by side, to have enough independent chains in flight.

#include "kernels/linear_cpu.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "kernels/linear_finish.h"
#include "kernels/panel_layout.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/linear_cpu.cc"
#include "hwy/foreach_target.h"  // Must come before highway.h.
#include "hwy/highway.h"
#include "kernels/simd/math-inl.h"

#ifndef HYBRIDSERVE_KERNELS_LINEAR_CPU_ONCE_
#define HYBRIDSERVE_KERNELS_LINEAR_CPU_ONCE_
namespace hybridserve {

inline constexpr int64_t kRowBlock = 240;    // A multiple of every tile height.
inline constexpr int64_t kDepthBlock = 256;  // Even: bfloat16 comes in pairs.
inline constexpr int64_t kGroupPanels = 8;
inline constexpr int64_t kGroupColumns = kGroupPanels * kPanelColumns;

// Floats that only grow, 64-byte aligned; one a thread and use.
class LinearScratch {
 public:
  float* Reserve(int64_t floats) {
    if (floats > capacity_) {
      floats_ = hwy::AllocateAligned<float>(floats);
      capacity_ = floats;
    }
    return floats_.get();
  }

 private:
  hwy::AlignedFreeUniquePtr<float[]> floats_;
  int64_t capacity_ = 0;
};

// Rows [first, first + rows) of a row block, one register tile high.
struct RowTile {
  int64_t first;
  int64_t rows;
};

// Splits `rows` into the fewest tiles of at most `height`, evenly.
inline std::vector<RowTile> SplitRows(int64_t rows, int64_t height) {
  const int64_t count = (rows + height - 1) / height;
  std::vector<RowTile> tiles;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t first = rows * i / count;
    tiles.push_back({first, rows * (i + 1) / count - first});
  }
  return tiles;
}

}  // namespace hybridserve
#endif  // HYBRIDSERVE_KERNELS_LINEAR_CPU_ONCE_

HWY_BEFORE_NAMESPACE();
namespace hybridserve {
namespace HWY_NAMESPACE {

// Rows of a register tile: 12 vector accumulators where there are 32
// registers, 6 x 2 where there are 16.
constexpr int64_t kTileRows = kLanes == 16 ? 12 : 6;

// Panels run side by side when there is a single tile of `rows` rows.
constexpr int64_t PanelsAbreast(int64_t rows) {
  return rows == 1 ? 4 : rows <= 3 ? 2 : 1;
}

// One step of k for kPanels panels: acc += a[0..kRows) x b.
template <int kRows, int kPanels>
HWY_INLINE void Step(const float* HWY_RESTRICT a,
                     const F32Vector (&b)[kPanels * kVectors],
                     F32Vector (&acc)[kRows][kPanels * kVectors]) {
  const F32Tag d;
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    const F32Vector broadcast = hn::Set(d, a[r]);
#pragma GCC unroll 16
    for (size_t v = 0; v < kPanels * kVectors; ++v) {
      acc[r][v] = Fma(broadcast, b[v], acc[r][v]);
    }
  }
}

// How far ahead panels are fetched: hardware prefetching alone reads a weight
// at two thirds of the speed.
constexpr int64_t kPrefetchBytes = 1024;

template <int kPanels>
HWY_INLINE void PrefetchPanels(const void* panel, int64_t panel_bytes) {
  const char* ahead = static_cast<const char*>(panel) + kPrefetchBytes;
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) {
    __builtin_prefetch(ahead + p * panel_bytes);
  }
}

// acc += a x panels over `depth` input features, float32 weights.
template <int kRows, int kPanels>
HWY_INLINE void Accumulate(const float* HWY_RESTRICT a,
                           const float* HWY_RESTRICT panel, int64_t panel_bytes,
                           int64_t depth,
                           F32Vector (&acc)[kRows][kPanels * kVectors]) {
  const F32Tag d;
  const int64_t panel_floats = panel_bytes / 4;
  for (int64_t k = 0; k < depth; ++k) {
    PrefetchPanels<kPanels>(panel, panel_bytes);
    F32Vector b[kPanels * kVectors];
#pragma GCC unroll 16
    for (size_t v = 0; v < kPanels * kVectors; ++v) {
      b[v] = hn::LoadU(
          d, panel + (v / kVectors) * panel_floats + (v % kVectors) * kLanes);
    }
    Step<kRows, kPanels>(a, b, acc);
    a += kRows;
    panel += kPanelColumns;
  }
}

// The same for bfloat16 weights, two input features at a time. The pairs are
// loaded once for each: registers are scarcer than loads.
template <int kRows, int kPanels>
HWY_INLINE void Accumulate(const float* HWY_RESTRICT a,
                           const uint32_t* HWY_RESTRICT panel,
                           int64_t panel_bytes, int64_t depth,
                           F32Vector (&acc)[kRows][kPanels * kVectors]) {
  const U32Tag d;
  const int64_t panel_pairs = panel_bytes / 4;
  const auto load = [&](size_t v) HWY_ATTR {
    return hn::LoadU(
        d, panel + (v / kVectors) * panel_pairs + (v % kVectors) * kLanes);
  };
  for (int64_t k = 0; k < depth; k += 2) {
    PrefetchPanels<kPanels>(panel, panel_bytes);
    F32Vector b[kPanels * kVectors];
#pragma GCC unroll 16
    for (size_t v = 0; v < kPanels * kVectors; ++v) b[v] = LowBFloat16(load(v));
    Step<kRows, kPanels>(a, b, acc);
    if (k + 1 < depth) {
      // Or the compiler keeps the pairs and moves an accumulator to memory.
      asm volatile("" : : : "memory");
#pragma GCC unroll 16
      for (size_t v = 0; v < kPanels * kVectors; ++v) {
        b[v] = HighBFloat16(load(v));
      }
      Step<kRows, kPanels>(a + kRows, b, acc);
    }
    a += int64_t{2} * kRows;
    panel += kPanelColumns;
  }
}

// One register tile over a slice of k. `sums` is [rows][kGroupColumns]; with
// `resume` it holds the chains so far.
template <int kRows, int kPanels, typename Weight>
HWY_NOINLINE void RunTile(const float* a, const Weight* panel,
                          int64_t panel_bytes, int64_t depth, bool resume,
                          float* sums) {
  const F32Tag d;
  F32Vector acc[kRows][kPanels * kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (size_t v = 0; v < kPanels * kVectors; ++v) {
      acc[r][v] = resume ? hn::LoadU(d, sums + r * kGroupColumns + v * kLanes)
                         : hn::Zero(d);
    }
  }
  Accumulate<kRows, kPanels>(a, panel, panel_bytes, depth, acc);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (size_t v = 0; v < kPanels * kVectors; ++v) {
      hn::StoreU(acc[r][v], d, sums + r * kGroupColumns + v * kLanes);
    }
  }
}

template <typename Weight>
using TileFunction = void (*)(const float*, const Weight*, int64_t, int64_t,
                              bool, float*);

template <int kPanels, typename Weight>
TileFunction<Weight> TileFor(int64_t rows) {
  if constexpr (kPanels == 4) {
    return RunTile<1, 4, Weight>;
  } else if constexpr (kPanels == 2) {
    return rows == 1   ? RunTile<1, 2, Weight>
           : rows == 2 ? RunTile<2, 2, Weight>
                       : RunTile<3, 2, Weight>;
  } else {
    constexpr TileFunction<Weight> kTiles[] = {
      RunTile<1, 1, Weight>,
      RunTile<2, 1, Weight>,
      RunTile<3, 1, Weight>,
      RunTile<4, 1, Weight>,
      RunTile<5, 1, Weight>,
      RunTile<6, 1, Weight>,
#if HWY_MAX_BYTES >= 64
      RunTile<7, 1, Weight>,
      RunTile<8, 1, Weight>,
      RunTile<9, 1, Weight>,
      RunTile<10, 1, Weight>,
      RunTile<11, 1, Weight>,
      RunTile<12, 1, Weight>,
#endif
    };
    static_assert(sizeof(kTiles) / sizeof(kTiles[0]) >= kTileRows);
    return kTiles[rows - 1];
  }
}

// Copies rows [first, first + rows) of x to [k][rows], as floats.
template <typename Element>
void PackTile(const LinearCpuArgs& args, int64_t first, int64_t rows,
              float* packed) {
  const Element* x =
      static_cast<const Element*>(args.x) + first * args.x_stride;
  constexpr int64_t kChunk = 64;
  HWY_ALIGN float chunk[kTileRows][kChunk];
  for (int64_t k = 0; k < args.k; k += kChunk) {
    const int64_t depth = std::min(kChunk, args.k - k);
    for (int64_t r = 0; r < rows; ++r) {
      const Element* from = x + r * args.x_stride + k;
      int64_t i = 0;
      for (; i + static_cast<int64_t>(kLanes) <= depth; i += kLanes) {
        hn::Store(LoadFloats(from + i), F32Tag(), chunk[r] + i);
      }
      for (; i < depth; ++i) {
        if constexpr (sizeof(Element) == 4) {
          chunk[r][i] = from[i];
        } else {
          const uint32_t bits = static_cast<uint32_t>(from[i]) << 16;
          std::memcpy(&chunk[r][i], &bits, sizeof(bits));
        }
      }
    }
    for (int64_t i = 0; i < depth; ++i) {
      for (int64_t r = 0; r < rows; ++r) *packed++ = chunk[r][i];
    }
  }
}

// All rows of the block times panels [first_panel, first_panel + panels).
template <typename Weight>
void RunGroup(const LinearCpuArgs& args, int64_t first_row,
              const std::vector<RowTile>& tiles, const float* packed,
              int64_t first_panel, int64_t panels) {
  thread_local LinearScratch scratch;
  float* sums = scratch.Reserve(kRowBlock * kGroupColumns);
  const int64_t panel_bytes = PanelBytes(args.k, args.dtype);
  const char* group =
      static_cast<const char*>(args.weight) + first_panel * panel_bytes;
  const bool single = tiles.size() == 1;
  const int64_t depth_block = single ? args.k : kDepthBlock;
  const int64_t abreast = single ? PanelsAbreast(tiles[0].rows) : 1;
  int64_t k = 0;
  do {  // Once even for k = 0: the chains are then empty, not absent.
    const int64_t depth = std::min(depth_block, args.k - k);
    for (int64_t p = 0; p < panels;) {
      const bool wide = p + abreast <= panels;
      const Weight* panel = reinterpret_cast<const Weight*>(
          group + p * panel_bytes + PanelBytes(k, args.dtype));
      for (const RowTile& tile : tiles) {
        const TileFunction<Weight> run =
            !wide || abreast == 1 ? TileFor<1, Weight>(tile.rows)
            : abreast == 2        ? TileFor<2, Weight>(tile.rows)
                                  : TileFor<4, Weight>(tile.rows);
        run(packed + tile.first * args.k + k * tile.rows, panel, panel_bytes,
            depth, k > 0,
            sums + tile.first * kGroupColumns + p * kPanelColumns);
      }
      p += wide ? abreast : 1;
    }
    k += depth;
  } while (k < args.k);

  const int64_t first_column = first_panel * kPanelColumns;
  FinishLinear(args, {.sums = sums,
                      .stride = kGroupColumns,
                      .first_row = first_row,
                      .rows = tiles.back().first + tiles.back().rows,
                      .first_column = first_column,
                      .columns = std::min(panels * kPanelColumns,
                                          args.n - first_column)});
}

void LinearBlock(const LinearCpuArgs& args, int64_t first_row, int64_t rows,
                 ThreadPool& pool) {
  const std::vector<RowTile> tiles = SplitRows(rows, kTileRows);
  thread_local LinearScratch scratch;
  float* packed = scratch.Reserve(std::max<int64_t>(rows * args.k, 1));
  const auto pack = [&](int64_t t) {
    float* to = packed + tiles[t].first * args.k;
    const int64_t first = first_row + tiles[t].first;
    if (args.dtype == DType::kFloat32) {
      PackTile<float>(args, first, tiles[t].rows, to);
    } else {
      PackTile<uint16_t>(args, first, tiles[t].rows, to);
    }
  };
  pool.ParallelFor(static_cast<int64_t>(tiles.size()), pack);

  const int64_t panels = (args.n + kPanelColumns - 1) / kPanelColumns;
  const int64_t groups = (panels + kGroupPanels - 1) / kGroupPanels;
  pool.ParallelFor(groups, [&](int64_t g) {
    const int64_t first = g * kGroupPanels;
    const int64_t count = std::min(kGroupPanels, panels - first);
    if (args.dtype == DType::kFloat32) {
      RunGroup<float>(args, first_row, tiles, packed, first, count);
    } else {
      RunGroup<uint32_t>(args, first_row, tiles, packed, first, count);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace hybridserve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hybridserve {

HWY_EXPORT(LinearBlock);

void LinearCpu(const LinearCpuArgs& args, ThreadPool& pool) {
  for (int64_t row = 0; row < args.m; row += kRowBlock) {
    HWY_DYNAMIC_DISPATCH(LinearBlock)
    (args, row, std::min(kRowBlock, args.m - row), pool);
  }
}

}  // namespace hybridserve
#endif  // HWY_ONCE
