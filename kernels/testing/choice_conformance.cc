#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/reference_ops.h"
#include "kernels/testing/ops_conformance.h"
#include "kernels/testing/ops_harness.h"
#include "kernels/testing/tolerance.h"

namespace hybridserve {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<float> Row(const Matrix& matrix, int64_t row) {
  const auto begin = matrix.values.begin() + row * matrix.cols;
  return std::vector<float>(begin, begin + matrix.cols);
}

// Tokens (column 0) and log-probs (column 1) chosen for rows of `logits`.
Matrix Choose(Device& device, const Matrix& logits,
              const std::vector<SampleRow>& rows) {
  OpsHarness harness(device);
  const int64_t count = static_cast<int64_t>(rows.size());
  const SampleArgs args{.logits = harness.Put(logits, DType::kFloat32, 1),
                        .rows = rows,
                        .tokens = harness.Result(count, 1, DType::kInt32),
                        .log_probs = harness.Result(count, 1, DType::kFloat32)};
  EXPECT_TRUE(harness.ops().Sample(harness.stream(), args).ok());
  const Matrix tokens = harness.Get(args.tokens);
  const Matrix log_probs = harness.Get(args.log_probs);
  Matrix both(count, 2);
  for (int64_t r = 0; r < count; ++r) {
    both(r, 0) = tokens(r, 0);
    both(r, 1) = log_probs(r, 0);
  }
  return both;
}

TEST_P(OpsConformance, GreedyTakesTheHighestAndTheLowestIdOfEquals) {
  struct Case {
    std::vector<double> logits;
    double want;
  };
  const Case cases[] = {
      {{1, 3, 2}, 1},
      {{2, 5, 5, 5}, 1},
      {{-3, -1, -1}, 1},
      {{0.0, -0.0}, 0},
      {{-kInfinity, -kInfinity}, 0},
      {{1, kInfinity, kInfinity}, 1},
      {{NAN, NAN, NAN}, 0},
      {{NAN, -2, 7}, 2},
      {{NAN, -kInfinity}, 1},
  };
  for (const Case& c : cases) {
    Matrix logits(1, static_cast<int64_t>(c.logits.size()));
    logits.values = c.logits;
    EXPECT_EQ(Choose(device(), logits, {SampleRow{}})(0, 0), c.want);
    // Sampling neither crashes on such rows nor leaves the vocabulary.
    for (const double top_p : {0.5, 1.0}) {
      SampleRow row{.params = {.temperature = 1, .top_p = top_p}};
      const double token = Choose(device(), logits, {row})(0, 0);
      EXPECT_GE(token, 0);
      EXPECT_LT(token, logits.cols);
    }
  }
}

TEST_P(OpsConformance, SamplingFollowsTheDistribution) {
  constexpr int64_t kDraws = 4000;
  constexpr SamplingParams kParams[] = {
      {.temperature = 1},
      {.temperature = 0.5, .seed = 1},
      {.temperature = 2, .top_k = 3, .seed = 2},
      {.temperature = 1, .top_p = 0.7, .seed = 3},
      {.temperature = 1.5, .top_k = 6, .top_p = 0.9, .seed = 4},
      {.temperature = 1, .top_p = 1e-9, .seed = 5},
      {.temperature = 1, .top_k = 1, .seed = 6},
  };
  const Matrix row = RandomMatrix(1, 12, DType::kFloat32, 9);
  Matrix logits(kDraws, 12);
  for (int64_t r = 0; r < kDraws; ++r) {
    std::copy(row.values.begin(), row.values.end(),
              logits.values.begin() + r * 12);
  }
  for (const SamplingParams& params : kParams) {
    SCOPED_TRACE(params.seed);
    std::vector<SampleRow> rows;
    rows.reserve(kDraws);
    for (int64_t r = 0; r < kDraws; ++r) rows.push_back({params, r});
    const Matrix chosen = Choose(device(), logits, rows);
    std::vector<double> counts(12);
    for (int64_t r = 0; r < kDraws; ++r) {
      counts[static_cast<size_t>(chosen(r, 0))] += 1;
    }
    const std::vector<double> want = SampleReference(Row(row, 0), params);
    for (size_t id = 0; id < counts.size(); ++id) {
      const double deviation =
          std::sqrt(want[id] * (1 - want[id]) / kDraws);  // Binomial.
      EXPECT_NEAR(counts[id] / kDraws, want[id], 5 * deviation) << id;
      if (want[id] == 0) {
        EXPECT_EQ(counts[id], 0) << id;
      }
    }
  }
}

TEST_P(OpsConformance, SamplingDependsOnSeedAndPositionAlone) {
  const Matrix one = RandomMatrix(1, 500, DType::kFloat32, 9);
  Matrix logits(64, 500);
  std::vector<SampleRow> rows;
  for (int64_t r = 0; r < 64; ++r) {
    std::copy(one.values.begin(), one.values.end(),
              logits.values.begin() + r * 500);
    rows.push_back({{.temperature = 1, .seed = 77}, r});
  }
  const Matrix together = Choose(device(), logits, rows);
  int64_t differing = 0;
  for (int64_t r = 0; r < 64; ++r) {
    EXPECT_EQ(Choose(device(), one, {rows[r]})(0, 0), together(r, 0));
    SampleRow other = rows[r];
    other.params.seed = 78;
    differing += Choose(device(), one, {other})(0, 0) != together(r, 0);
  }
  EXPECT_GT(differing, 32);
}

TEST_P(OpsConformance, LogProbIsTheSameFromSlicesAndFromSampling) {
  constexpr int64_t kVocabulary = 1003;
  constexpr int64_t kRows = 5;
  const Matrix logits = RandomMatrix(kRows, kVocabulary, DType::kFloat32, 11);
  OpsHarness harness(device());
  const TensorView all = harness.Put(logits, DType::kFloat32, 1);
  const std::vector<int32_t> targets = {0, 1002, -1, 64, 512};
  std::vector<std::vector<char>> states;
  for (const int64_t slice : {int64_t{64}, int64_t{320}, kVocabulary}) {
    const TensorView state = harness.Put(Matrix(kRows, 4), DType::kFloat32);
    for (int64_t c = 0; c < kVocabulary; c += slice) {
      const LogProbArgs args{
          .logits = all.Cols(c, std::min(slice, kVocabulary - c)),
          .first_column = c,
          .targets = targets,
          .state = state};
      ASSERT_TRUE(harness.ops().LogProb(harness.stream(), args).ok());
    }
    const Matrix got = harness.Get(state);
    states.push_back(harness.GetBytes(state));
    EXPECT_TRUE(states.back() == states.front()) << slice;
    for (int64_t r = 0; r < kRows; ++r) {
      if (targets[r] < 0) continue;
      const double log_prob = got(r, 2) - got(r, 0) - std::log(got(r, 1));
      const double want = LogProbReference(Row(logits, r))[targets[r]];
      EXPECT_NEAR(log_prob, want,
                  SumTolerance(kVocabulary, 1, DType::kFloat32));
    }
  }
  std::vector<SampleRow> rows(kRows);
  rows[3].params.want_log_prob = true;
  const Matrix chosen = Choose(device(), logits, rows);
  EXPECT_EQ(chosen(0, 1), 0);
  const std::vector<double> want = LogProbReference(Row(logits, 3));
  EXPECT_NEAR(chosen(3, 1), want[static_cast<size_t>(chosen(3, 0))],
              SumTolerance(kVocabulary, 1, DType::kFloat32));
}

TEST_P(OpsConformance, LogProbCopesWithInfiniteLogits) {
  Matrix logits(2, 130);
  for (double& value : logits.values) value = -kInfinity;
  logits(0, 129) = 2;
  logits(1, 3) = 1e30;
  logits(1, 100) = 0;
  OpsHarness harness(device());
  const TensorView state = harness.Result(2, 4, DType::kFloat32);
  const LogProbArgs args{.logits = harness.Put(logits, DType::kFloat32),
                         .targets = {129, 100},
                         .state = state};
  ASSERT_TRUE(harness.ops().LogProb(harness.stream(), args).ok());
  const Matrix got = harness.Get(state);
  EXPECT_EQ(got(0, 0), 2);
  EXPECT_EQ(got(0, 1), 1);
  EXPECT_EQ(got(0, 2), 2);
  EXPECT_EQ(got(1, 1), 1);
  EXPECT_EQ(got(1, 2), 0);
}

}  // namespace
}  // namespace hybridserve
