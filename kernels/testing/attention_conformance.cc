#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/reference_ops.h"
#include "kernels/testing/ops_conformance.h"
#include "kernels/testing/ops_harness.h"
#include "kernels/testing/tolerance.h"

namespace hybridserve {
namespace {

// A sequence's queries, keys and values at every position.
struct Sequence {
  Matrix q, k, v;
};

struct Heads {
  int64_t num_heads, num_kv_heads, head_dim;
};

Sequence RandomSequence(int64_t positions, const Heads& heads, DType dtype,
                        uint64_t seed) {
  const int64_t kv_width = heads.num_kv_heads * heads.head_dim;
  return {
      RandomMatrix(positions, heads.num_heads * heads.head_dim, dtype, seed),
      RandomMatrix(positions, kv_width, dtype, seed + 1),
      RandomMatrix(positions, kv_width, dtype, seed + 2)};
}

// How many of a sequence's positions are cached, and how many are new.
struct Part {
  const Sequence* sequence;
  int64_t cached;
  int64_t count;
};

// Stacks the new rows of `parts`; `which` picks q, k or v.
Matrix Stack(const std::vector<Part>& parts, Matrix Sequence::*which) {
  Matrix stacked(0, (parts[0].sequence->*which).cols);
  for (const Part& part : parts) {
    const Matrix rows = RowsOf(part.sequence->*which, part.cached, part.count);
    stacked.values.insert(stacked.values.end(), rows.values.begin(),
                          rows.values.end());
    stacked.rows += rows.rows;
  }
  return stacked;
}

// One attention call over all parts; returns `out`.
TensorView Attend(OpsHarness& harness, const std::vector<Part>& parts,
                  const Heads& heads, DType dtype, int64_t block_tokens) {
  const Matrix q = Stack(parts, &Sequence::q);
  AttentionArgs args{.q = harness.Put(q, dtype, 3),
                     .new_k = harness.Put(Stack(parts, &Sequence::k), dtype, 1),
                     .new_v = harness.Put(Stack(parts, &Sequence::v), dtype, 2),
                     .out = harness.Result(q.rows, q.cols, dtype, 4),
                     .num_heads = heads.num_heads,
                     .num_kv_heads = heads.num_kv_heads,
                     .head_dim = heads.head_dim,
                     .block_tokens = block_tokens,
                     .scale = static_cast<float>(1 / std::sqrt(heads.head_dim)),
                     .sequences = {}};
  int64_t row = 0;
  for (const Part& part : parts) {
    AttentionSequence sequence{.first_row = row,
                               .num_rows = part.count,
                               .num_cached = part.cached,
                               .blocks = {}};
    for (int64_t p = 0; p < part.cached; p += block_tokens) {
      // The rest of an open block is garbage (NaN), as in a reused slot.
      const auto block = [&](const Matrix& all) {
        Matrix rows(block_tokens, all.cols);
        for (double& value : rows.values) value = NAN;
        const int64_t count = std::min(block_tokens, part.cached - p);
        const Matrix present = RowsOf(all, p, count);
        std::copy(present.values.begin(), present.values.end(),
                  rows.values.begin());
        const TensorView view = harness.Put(rows, dtype);
        return BufferView{view.buffer, 0, view.buffer->size()};
      };
      sequence.blocks.push_back(
          {block(part.sequence->k), block(part.sequence->v)});
    }
    args.sequences.push_back(sequence);
    row += part.count;
  }
  EXPECT_TRUE(harness.ops().Attention(harness.stream(), args).ok());
  return args.out;
}

TEST_P(OpsConformance, AttentionAgreesWithTheDefinition) {
  constexpr Heads kHeads[] = {{1, 1, 1},  {3, 3, 5},  {2, 1, 16}, {4, 2, 24},
                              {2, 2, 64}, {1, 1, 80}, {1, 1, 160}};
  constexpr int64_t kCached[] = {0, 1, 15, 16, 17, 64, 95};
  for (const DType dtype : dtypes()) {
    for (const Heads& heads : kHeads) {
      for (const int64_t cached : kCached) {
        for (const int64_t count : {0, 1, 3, 9, 34}) {
          SCOPED_TRACE(testing::Message()
                       << Name(dtype) << " head_dim=" << heads.head_dim
                       << " cached=" << cached << " new=" << count);
          OpsHarness harness(device());
          const Sequence sequence =
              RandomSequence(cached + count, heads, dtype, 7);
          const TensorView out =
              Attend(harness, {{&sequence, cached, count}}, heads, dtype, 16);
          const Matrix want =
              AttentionReference({.q = RowsOf(sequence.q, cached, count),
                                  .k = sequence.k,
                                  .v = sequence.v,
                                  .num_heads = heads.num_heads,
                                  .num_kv_heads = heads.num_kv_heads,
                                  .scale = 1 / std::sqrt(heads.head_dim)});
          // Weights add up to 1; an error of a score is one of its weight.
          const int64_t length = cached + count + 4 * heads.head_dim;
          ExpectNear("out", harness.Get(out), want,
                     SumTolerance(length, 5, dtype));
        }
      }
    }
  }
}

// Contract: where the cached part ends, how prefill is chunked, which other
// sequences take part and the number of threads don't change a bit.
TEST_P(OpsConformance, AttentionDependsOnPositionsAlone) {
  constexpr Heads kHeads{3, 3, 40};
  constexpr int64_t kPositions = 83;
  const std::unique_ptr<Device> two_threads = GetParam().make_device(2);
  for (const DType dtype : dtypes()) {
    const Sequence sequence = RandomSequence(kPositions, kHeads, dtype, 7);
    const Sequence other = RandomSequence(50, kHeads, dtype, 70);
    OpsHarness harness(device());
    const TensorView whole =
        Attend(harness, {{&sequence, 0, kPositions}}, kHeads, dtype, 16);
    for (const int64_t chunk : {1, 2, 7, 16, 17, 40}) {
      SCOPED_TRACE(testing::Message() << Name(dtype) << " chunk=" << chunk);
      OpsHarness parts(*two_threads);
      for (int64_t p = 0; p < kPositions; p += chunk) {
        const int64_t count = std::min(chunk, kPositions - p);
        const TensorView out =
            Attend(parts, {{&other, 31, 19}, {&sequence, p, count}}, kHeads,
                   dtype, 16);
        ASSERT_TRUE(parts.GetBytes(out.Rows(19, count)) ==
                    harness.GetBytes(whole.Rows(p, count)))
            << p;
      }
    }
  }
}

TEST_P(OpsConformance, AttentionIsStableForLargeScores) {
  constexpr Heads kHeads{1, 1, 16};
  for (const DType dtype : dtypes()) {
    Sequence sequence = RandomSequence(20, kHeads, dtype, 7);
    for (double& value : sequence.q.values) value *= 4096;
    OpsHarness harness(device());
    const TensorView out =
        Attend(harness, {{&sequence, 10, 10}}, kHeads, dtype, 16);
    const Matrix got = harness.Get(out);
    for (const double value : got.values) EXPECT_LE(std::abs(value), 5);
  }
}

}  // namespace
}  // namespace hybridserve
