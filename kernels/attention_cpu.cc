// Causal attention in two passes over a query's scores.
//
// A visit takes one head and up to 8 consecutive query rows of a sequence:
// scores of all keys they see, maximum, exponentials, their sum, then the
// weighted values. The order of every sum is a function of the absolute
// position alone: q.k is 16 virtual lanes over head_dim, the softmax's sum is
// 16 virtual lanes over positions (position p in lane p mod 16), and an output
// element is one chain of fused multiply-adds over positions. So neither block
// boundaries nor the end of the cached part can show. An online softmax would
// save the score buffer (32 kB a 1,024 positions) and cost that independence
// of the block size.
//
// Rows of a visit share the loads of keys and values.

#include "kernels/attention_cpu.h"

#include <algorithm>
#include <cstring>

#include "hwy/aligned_allocator.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention_cpu.cc"
#include "hwy/foreach_target.h"  // Must come before highway.h.
#include "hwy/highway.h"
#include "kernels/simd/math-inl.h"

#ifndef HYBRIDSERVE_KERNELS_ATTENTION_CPU_ONCE_
#define HYBRIDSERVE_KERNELS_ATTENTION_CPU_ONCE_
namespace hybridserve {

// Query rows of a visit.
inline constexpr int64_t kQueryRows = 8;

// One head and rows [first, first + rows) of one sequence's new positions.
struct AttentionVisit {
  const AttentionCpuSequence* sequence;
  int64_t head;
  int64_t first;
  int64_t rows;
};

// A run of positions whose keys (or values) lie `stride` elements apart.
struct PositionRun {
  const void* data;  // This head's elements of the first position.
  int64_t stride;
  int64_t begin;  // Absolute positions [begin, end).
  int64_t end;
};

// Floats that only grow, 64-byte aligned.
class AttentionScratch {
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

// Calls body(PositionRun) for positions [0, end) in ascending order; `values`
// chooses v over k.
template <typename Element, typename Body>
void ForPositionRuns(const AttentionCpuArgs& args, const AttentionVisit& visit,
                     bool values, int64_t end, const Body& body) {
  const AttentionCpuSequence& sequence = *visit.sequence;
  const int64_t kv_head = visit.head / (args.num_heads / args.num_kv_heads);
  const int64_t offset = kv_head * args.head_dim;
  const int64_t width = args.num_kv_heads * args.head_dim;
  const int64_t cached = std::min(sequence.num_cached, end);
  for (int64_t begin = 0; begin < cached; begin += args.block_tokens) {
    const KvBlockPointers& block = sequence.blocks[begin / args.block_tokens];
    const auto* base =
        static_cast<const Element*>(values ? block.v : block.k) + offset;
    body(PositionRun{base, width, begin,
                     std::min(begin + args.block_tokens, cached)});
  }
  if (end <= sequence.num_cached) return;
  const int64_t stride = values ? args.new_v_stride : args.new_k_stride;
  const auto* base =
      static_cast<const Element*>(values ? args.new_v : args.new_k) +
      sequence.first_row * stride + offset;
  body(PositionRun{base, stride, sequence.num_cached, end});
}

}  // namespace hybridserve
#endif  // HYBRIDSERVE_KERNELS_ATTENTION_CPU_ONCE_

HWY_BEFORE_NAMESPACE();
namespace hybridserve {
namespace HWY_NAMESPACE {

// The least multiple of kWide that is at least `count`.
constexpr int64_t PaddedToWide(int64_t count) {
  constexpr auto kMultiple = static_cast<int64_t>(kWide);
  return (count + kMultiple - 1) / kMultiple * kMultiple;
}

// 16 floats of `from`, of which only `count` are there.
template <typename Element>
HWY_INLINE void LoadWide(const Element* from, int64_t count,
                         F32Vector (&to)[kVectors]) {
  if (count >= static_cast<int64_t>(kWide)) {
    for (size_t v = 0; v < kVectors; ++v) to[v] = LoadFloats(from + v * kLanes);
    return;
  }
  Element padded[kWide] = {};
  std::memcpy(padded, from, count * sizeof(Element));
  for (size_t v = 0; v < kVectors; ++v) {
    to[v] = LoadFloats(padded + v * kLanes);
  }
}

// scores[0..4) = scale * q.k of four keys (the last ones repeated if fewer).
template <typename Element>
HWY_INLINE void ScoreFour(const float* q, const Element* const (&k)[4],
                          int64_t head_dim, float scale, float* scores) {
  const F32Tag d;
  F32Vector sums[4][kVectors];
  for (auto& sum : sums) {
    for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Zero(d);
  }
  int64_t c = 0;
  for (; c + static_cast<int64_t>(kWide) <= head_dim; c += kWide) {
    for (size_t v = 0; v < kVectors; ++v) {
      const F32Vector qv = hn::Load(d, q + c + v * kLanes);
#pragma GCC unroll 4
      for (size_t i = 0; i < 4; ++i) {
        sums[i][v] = Fma(qv, LoadFloats(k[i] + c + v * kLanes), sums[i][v]);
      }
    }
  }
  if (c < head_dim) {
    for (size_t i = 0; i < 4; ++i) {
      F32Vector kv[kVectors];
      LoadWide(k[i] + c, head_dim - c, kv);
      for (size_t v = 0; v < kVectors; ++v) {
        sums[i][v] = Fma(hn::Load(d, q + c + v * kLanes), kv[v], sums[i][v]);
      }
    }
  }
  float four[4];
  SumFourWide(sums, four);
  for (size_t i = 0; i < 4; ++i) scores[i] = four[i] * scale;
}

// Scores of one row for the positions of `run`, up to `end`.
template <typename Element>
HWY_INLINE void ScoreRun(const float* q, const PositionRun& run, int64_t end,
                         int64_t head_dim, float scale, float* scores) {
  const auto* keys = static_cast<const Element*>(run.data);
  end = std::min(end, run.end);
  for (int64_t p = run.begin; p < end; p += 4) {
    const Element* k[4];
    for (int64_t i = 0; i < 4; ++i) {
      k[i] = keys + (std::min(p + i, end - 1) - run.begin) * run.stride;
    }
    float four[4];
    ScoreFour(q, k, head_dim, scale, four);
    for (int64_t i = 0; i < std::min<int64_t>(4, end - p); ++i) {
      scores[p + i] = four[i];
    }
  }
}

// Turns scores[0, count) into e^(score - max) and returns 1 / their sum. Up to
// 15 floats beyond `count` are overwritten with 0.
HWY_INLINE float SoftmaxNumerators(float* scores, int64_t count) {
  const F32Tag d;
  float highest = scores[0];
  for (int64_t p = 1; p < count; ++p) {
    highest = scores[p] > highest ? scores[p] : highest;
  }
  const F32Vector max = hn::Set(d, highest);
  F32Vector sums[kVectors];
  for (F32Vector& sum : sums) sum = hn::Zero(d);
  const int64_t padded = PaddedToWide(count);
  // Far enough below the maximum that e^x is exactly 0.
  for (int64_t p = count; p < padded; ++p) scores[p] = highest - 200.0F;
  for (int64_t p = 0; p < padded; p += kWide) {
    for (size_t v = 0; v < kVectors; ++v) {
      float* at = scores + p + v * kLanes;
      const F32Vector e = Exp(hn::Sub(hn::LoadU(d, at), max));
      hn::StoreU(e, d, at);
      sums[v] = hn::Add(sums[v], e);
    }
  }
  return 1.0F / SumWide(sums);
}

// out[r][c..] += weights[r][p] * v[p][c..] for one run and `kRows` rows,
// columns [column, column + 16 kChunks); of the last chunk only those before
// `head_dim` are there. Rows see positions below ends[r], ascending in r.
template <int kRows, int kChunks, typename Element>
HWY_INLINE void AddValues(const float* const* weights, const int64_t* ends,
                          const PositionRun& run, int64_t column,
                          int64_t head_dim, float* const* out) {
  const F32Tag d;
  F32Vector acc[kRows][kChunks][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < kChunks; ++c) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) {
        acc[r][c][v] = hn::Load(d, out[r] + column + c * kWide + v * kLanes);
      }
    }
  }
  const auto* values = static_cast<const Element*>(run.data) + column;
  const int64_t columns =
      head_dim - column - (kChunks - 1) * static_cast<int64_t>(kWide);
  const int64_t all = std::min(run.end, ends[0]);  // Every row sees these.
  int64_t p = run.begin;
  for (; p < all; ++p, values += run.stride) {
#pragma GCC unroll 8
    for (int c = 0; c < kChunks; ++c) {
      F32Vector value[kVectors];
      LoadWide(values + c * kWide, c + 1 < kChunks ? kWide : columns, value);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const F32Vector weight = hn::Set(d, weights[r][p]);
#pragma GCC unroll 8
        for (size_t v = 0; v < kVectors; ++v) {
          acc[r][c][v] = Fma(weight, value[v], acc[r][c][v]);
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < kChunks; ++c) {
#pragma GCC unroll 8
      for (size_t v = 0; v < kVectors; ++v) {
        hn::Store(acc[r][c][v], d, out[r] + column + c * kWide + v * kLanes);
      }
    }
  }
  if constexpr (kRows > 1) {  // The causal corner, a row at a time.
    for (int r = 0; r < kRows; ++r) {
      if (p >= std::min(run.end, ends[r])) continue;
      const auto* base = static_cast<const Element*>(run.data);
      const PositionRun rest{base + (p - run.begin) * run.stride, run.stride, p,
                             run.end};
      AddValues<1, kChunks, Element>(weights + r, ends + r, rest, column,
                                     head_dim, out + r);
    }
  }
}

// All columns of one run for `kRows` rows; 4 chains of 16 columns at a time,
// to hide the latency of a multiply-add.
template <int kRows, typename Element>
HWY_INLINE void AddRun(const float* const* weights, const int64_t* ends,
                       const PositionRun& run, int64_t head_dim,
                       float* const* out) {
  constexpr int kChunks = 4 / kRows;
  constexpr int64_t kStep = kChunks * static_cast<int64_t>(kWide);
  int64_t c = 0;
  for (; c + kStep <= head_dim; c += kStep) {
    AddValues<kRows, kChunks, Element>(weights, ends, run, c, head_dim, out);
  }
  for (; c < head_dim; c += kWide) {
    AddValues<kRows, 1, Element>(weights, ends, run, c, head_dim, out);
  }
}

// Writes row * factor, rounded.
template <typename Element>
HWY_INLINE void WriteRow(const float* row, float factor, int64_t count,
                         Element* out) {
  const F32Tag d;
  for (int64_t c = 0; c < count; c += kWide) {
    Element rounded[kWide];
    for (size_t i = 0; i < kWide; i += kLanes) {
      StoreFloats(hn::Mul(hn::Load(d, row + c + i), hn::Set(d, factor)),
                  rounded + i);
    }
    const int64_t left = std::min<int64_t>(kWide, count - c);
    std::memcpy(out + c, rounded, left * sizeof(Element));
  }
}

template <typename Element>
void VisitRows(const AttentionCpuArgs& args, const AttentionVisit& visit) {
  const AttentionCpuSequence& sequence = *visit.sequence;
  const int64_t dim = PaddedToWide(args.head_dim);
  const int64_t last = sequence.num_cached + visit.first + visit.rows;
  const int64_t positions = PaddedToWide(last);
  thread_local AttentionScratch scratch;
  float* queries = scratch.Reserve(visit.rows * (2 * dim + positions));
  float* sums = queries + visit.rows * dim;
  float* scores = sums + visit.rows * dim;
  std::fill(queries, scores, 0.0F);

  const float* weights[kQueryRows];
  float* outs[kQueryRows];
  int64_t ends[kQueryRows];
  float factors[kQueryRows];
  const int64_t first_row = sequence.first_row + visit.first;
  for (int64_t r = 0; r < visit.rows; ++r) {
    const auto* q = static_cast<const Element*>(args.q) +
                    (first_row + r) * args.q_stride +
                    visit.head * args.head_dim;
    for (int64_t c = 0; c < args.head_dim; c += kWide) {
      F32Vector wide[kVectors];
      LoadWide(q + c, args.head_dim - c, wide);
      for (size_t v = 0; v < kVectors; ++v) {
        hn::Store(wide[v], F32Tag(), queries + r * dim + c + v * kLanes);
      }
    }
    weights[r] = scores + r * positions;
    outs[r] = sums + r * dim;
    ends[r] = sequence.num_cached + visit.first + r + 1;
  }

  ForPositionRuns<Element>(
      args, visit, false, last, [&](const PositionRun& run) HWY_ATTR {
        for (int64_t r = 0; r < visit.rows; ++r) {
          ScoreRun<Element>(queries + r * dim, run, ends[r], args.head_dim,
                            args.scale, scores + r * positions);
        }
      });
  for (int64_t r = 0; r < visit.rows; ++r) {
    factors[r] = SoftmaxNumerators(scores + r * positions, ends[r]);
  }
  ForPositionRuns<Element>(args, visit, true, last,
                           [&](const PositionRun& run) HWY_ATTR {
                             int64_t r = 0;
                             for (; r + 4 <= visit.rows; r += 4) {
                               AddRun<4, Element>(weights + r, ends + r, run,
                                                  args.head_dim, outs + r);
                             }
                             for (; r < visit.rows; ++r) {
                               AddRun<1, Element>(weights + r, ends + r, run,
                                                  args.head_dim, outs + r);
                             }
                           });
  for (int64_t r = 0; r < visit.rows; ++r) {
    auto* out = static_cast<Element*>(args.out) +
                (first_row + r) * args.out_stride + visit.head * args.head_dim;
    WriteRow(outs[r], factors[r], args.head_dim, out);
  }
}

void RunVisit(const AttentionCpuArgs& args, const AttentionVisit& visit) {
  if (args.dtype == DType::kFloat32) {
    VisitRows<float>(args, visit);
  } else {
    VisitRows<uint16_t>(args, visit);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace hybridserve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hybridserve {

HWY_EXPORT(RunVisit);

void AttentionCpu(const AttentionCpuArgs& args, ThreadPool& pool) {
  std::vector<AttentionVisit> visits;
  for (const AttentionCpuSequence& sequence : args.sequences) {
    for (int64_t head = 0; head < args.num_heads; ++head) {
      for (int64_t row = 0; row < sequence.num_rows; row += kQueryRows) {
        visits.push_back({&sequence, head, row,
                          std::min(kQueryRows, sequence.num_rows - row)});
      }
    }
  }
  const auto run = HWY_DYNAMIC_DISPATCH(RunVisit);
  pool.ParallelFor(static_cast<int64_t>(visits.size()),
                   [&](int64_t i) { run(args, visits[i]); });
}

}  // namespace hybridserve
#endif  // HWY_ONCE
