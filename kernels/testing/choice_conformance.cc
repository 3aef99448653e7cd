#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
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

Matrix OneRow(const Matrix& matrix, int64_t row) {
  Matrix one(1, matrix.cols);
  const auto begin = matrix.values.begin() + row * matrix.cols;
  one.values.assign(begin, begin + matrix.cols);
  return one;
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
  const SamplingParams cases[] = {
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
  for (const SamplingParams& params : cases) {
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

TEST_P(OpsConformance, ChangedLogitsMoveTheChoice) {
  struct Case {
    std::vector<double> logits;
    double repetition_penalty;
    std::vector<LogitChange> changes;
    double want;
  };
  const Case cases[] = {
      {{1, 4, 3, 2}, 1, {{1, true, -0.75F}, {2, true, 0.5F}}, 2},
      {{1, 4, 3, 2}, 1, {{1, true, -0.5F}}, 1},
      {{1, 4, 3, 2}, 2, {{1, true, 0}}, 2},  // 4 / 2.
      {{1, 4, 3, 2}, 2, {{1, false, 0}}, 1},
      {{1, 4, 3, 2}, 2, {{0, false, 100}}, 0},
      {{-1, -4, -3, -2}, 8, {{0, true, 0}, {3, true, 0}}, 2},  // -8 and -16.
      {{-1, -4, -3, -2}, 0.25, {{1, true, 0}}, 0},             // Equal to -1.
      {{0, 0, 0}, 3, {{0, true, -1}, {1, true, 0}}, 1},
      {{-kInfinity, -kInfinity}, 2, {{0, true, -2}, {1, true, 2}}, 0},
      {{NAN, 1, 2}, 2, {{0, true, 2}, {2, true, -0.5F}}, 1},
      {{1, kInfinity}, 100, {{1, true, -2}}, 1},
  };
  for (const Case& c : cases) {
    Matrix logits(1, static_cast<int64_t>(c.logits.size()));
    logits.values = c.logits;
    const SampleRow row{.params = {.repetition_penalty = c.repetition_penalty},
                        .changes = c.changes};
    EXPECT_EQ(Choose(device(), logits, {row})(0, 0), c.want);
  }
}

// More changes than one launch takes with it.
TEST_P(OpsConformance, ChangedRowsChooseAsTheirLogitsDo) {
  constexpr int64_t kVocabulary = 3001;
  constexpr int64_t kRows = 9;
  const Matrix logits = RandomMatrix(kRows, kVocabulary, DType::kFloat32, 13);
  Matrix changed = logits;
  std::vector<SampleRow> rows;
  std::vector<SampleRow> plain_rows;
  for (int64_t r = 0; r < kRows; ++r) {
    const SamplingParams params{
        .temperature = r % 3 == 0 ? 0.0 : 0.8,
        .top_k = r % 2 == 0 ? 0 : 50,
        .top_p = r % 4 == 0 ? 1.0 : 0.9,
        .seed = 3,
        .repetition_penalty = 1 + 0.3 * static_cast<double>(r % 3),
        .want_log_prob = true};
    SampleRow row{.params = params, .position = r};
    // None, then every 8th id to every one.
    const int64_t stride = r == 0 ? kVocabulary : kRows - r;
    for (int64_t id = 1; id < kVocabulary; id += stride) {
      if (r == 0) break;
      row.changes.push_back({.id = static_cast<int32_t>(id),
                             .is_repeated = id % 5 != 0,
                             .plus = static_cast<float>(id % 17) / 8 - 1});
    }
    const std::vector<float> want = LogitChangeReference(
        Row(logits, r), row.changes, params.repetition_penalty);
    std::copy(want.begin(), want.end(),
              changed.values.begin() + r * kVocabulary);
    plain_rows.push_back({.params = params, .position = r});
    rows.push_back(std::move(row));
  }
  const Matrix got = Choose(device(), logits, rows);
  const Matrix want = Choose(device(), changed, plain_rows);
  const Matrix without = Choose(device(), logits, plain_rows);
  int64_t moved = 0;
  for (int64_t r = 0; r < kRows; ++r) {
    EXPECT_EQ(got(r, 0), want(r, 0)) << r;
    moved += got(r, 0) != without(r, 0) ? 1 : 0;
    // Of the logits as given.
    const std::vector<double> log_probs = LogProbReference(Row(logits, r));
    ExpectNear("log-prob", got(r, 1), log_probs[static_cast<size_t>(got(r, 0))],
               SumTolerance(kVocabulary, 1, DType::kFloat32));
    EXPECT_EQ(Choose(device(), OneRow(logits, r), {rows[r]})(0, 0), got(r, 0));
  }
  EXPECT_GT(moved, 3);
}

TEST_P(OpsConformance, SamplingLeavesTheLogitsAsTheyWere) {
  const Matrix logits = RandomMatrix(2, 700, DType::kFloat32, 15);
  OpsHarness harness(device());
  SampleRow row{.params = {.temperature = 1, .repetition_penalty = 1.7}};
  for (int32_t id = 0; id < 700; ++id) row.changes.push_back({id, true, -1.5F});
  const SampleArgs args{.logits = harness.Put(logits, DType::kFloat32, 1),
                        .rows = {row, row},
                        .tokens = harness.Result(2, 1, DType::kInt32),
                        .log_probs = harness.Result(2, 1, DType::kFloat32)};
  ASSERT_TRUE(harness.ops().Sample(harness.stream(), args).ok());
  EXPECT_EQ(harness.Get(args.logits).values, logits.values);
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

// The likeliest ids and their log-probs, as many a row as wanted.
struct Top {
  Matrix tokens;
  Matrix log_probs;
};

Top ChooseTop(Device& device, const Matrix& logits,
              const std::vector<SampleRow>& rows) {
  OpsHarness harness(device);
  const int64_t count = static_cast<int64_t>(rows.size());
  const SampleArgs args{
      .logits = harness.Put(logits, DType::kFloat32, 1),
      .rows = rows,
      .tokens = harness.Result(count, 1, DType::kInt32),
      .log_probs = harness.Result(count, 1, DType::kFloat32),
      .top_tokens = harness.Result(count, kMaxTopLogProbs, DType::kInt32),
      .top_log_probs = harness.Result(count, kMaxTopLogProbs, DType::kFloat32)};
  EXPECT_TRUE(harness.ops().Sample(harness.stream(), args).ok());
  return {harness.Get(args.top_tokens), harness.Get(args.top_log_probs)};
}

SampleRow WantsTop(int64_t count) {
  return {.params = {.want_log_prob = true, .top_log_probs = count}};
}

TEST_P(OpsConformance, TopIsTheRankingOfTheLogitsAsGiven) {
  for (const int64_t vocabulary : {1, 5, 31, 127, 129, 1003, 20000}) {
    SCOPED_TRACE(vocabulary);
    constexpr int64_t kRows = 4;
    Matrix logits = RandomMatrix(kRows, vocabulary, DType::kFloat32, 21);
    // Few values: many ids are equal.
    for (int64_t id = 0; id < vocabulary; ++id) {
      logits(1, id) = static_cast<double>((id * 7) % 5) - 2;
    }
    std::vector<SampleRow> rows = {WantsTop(20), WantsTop(20), WantsTop(3),
                                   WantsTop(0)};
    rows[2].params.temperature = 1;
    rows[2].changes = {{.id = 0, .is_repeated = false, .plus = 50}};
    const Top top = ChooseTop(device(), logits, rows);
    for (int64_t r = 0; r < kRows; ++r) {
      const std::vector<float> row = Row(logits, r);
      const std::vector<double> log_probs = LogProbReference(row);
      std::vector<int64_t> ids(vocabulary);
      std::iota(ids.begin(), ids.end(), 0);
      std::stable_sort(ids.begin(), ids.end(),
                       [&](int64_t a, int64_t b) { return row[a] > row[b]; });
      for (int64_t k = 0; k < rows[r].params.top_log_probs; ++k) {
        if (k >= vocabulary) {
          EXPECT_EQ(top.tokens(r, k), -1) << r << " " << k;
          continue;
        }
        EXPECT_EQ(top.tokens(r, k), ids[k]) << r << " " << k;
        ExpectNear("log-prob", top.log_probs(r, k), log_probs[ids[k]],
                   SumTolerance(vocabulary, 1, DType::kFloat32));
      }
    }
  }
}

TEST_P(OpsConformance, TopCopesWithNanAndInfinity) {
  Matrix logits(3, 4);
  logits.values = {NAN, 2,   -kInfinity, NAN,  NAN, NAN,
                   NAN, NAN, 0.0,        -0.0, 0,   -kInfinity};
  const Top top =
      ChooseTop(device(), logits, {WantsTop(4), WantsTop(2), WantsTop(4)});
  const double want[3][4] = {{1, 2, -1, -1}, {-1, -1, 0, 0}, {0, 1, 2, 3}};
  for (int64_t k = 0; k < 4; ++k) {
    EXPECT_EQ(top.tokens(0, k), want[0][k]) << k;
    EXPECT_EQ(top.tokens(2, k), want[2][k]) << k;
  }
  EXPECT_EQ(top.tokens(1, 0), -1);
  EXPECT_EQ(top.tokens(1, 1), -1);
  EXPECT_EQ(top.log_probs(2, 3), -kInfinity);
}

// The first of them, of a greedy row, is what was chosen, to the bit.
TEST_P(OpsConformance, TheChosenTokensLogProbIsAmongTheTop) {
  const Matrix logits = RandomMatrix(1, 777, DType::kFloat32, 23);
  const Matrix chosen =
      Choose(device(), logits, {SampleRow{.params = {.want_log_prob = true}}});
  const Top top = ChooseTop(device(), logits, {WantsTop(1)});
  EXPECT_EQ(top.tokens(0, 0), chosen(0, 0));
  EXPECT_EQ(top.log_probs(0, 0), chosen(0, 1));
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
      ExpectNear("log-prob", log_prob, want,
                 SumTolerance(kVocabulary, 1, DType::kFloat32));
      const std::vector<float> row = Row(logits, r);
      EXPECT_EQ(got(r, 3),
                std::max_element(row.begin(), row.end()) - row.begin());
    }
  }
  std::vector<SampleRow> rows(kRows);
  rows[3].params.want_log_prob = true;
  const Matrix chosen = Choose(device(), logits, rows);
  EXPECT_EQ(chosen(0, 1), 0);
  const std::vector<double> want = LogProbReference(Row(logits, 3));
  ExpectNear("log-prob", chosen(3, 1), want[static_cast<size_t>(chosen(3, 0))],
             SumTolerance(kVocabulary, 1, DType::kFloat32));
}

TEST_P(OpsConformance, LogProbKnowsTheLikeliestAndTheLowestIdOfEquals) {
  struct Case {
    std::vector<std::pair<int64_t, double>> logits;  // The others are 0.
    double want;
  };
  const Case cases[] = {
      {{}, 0},
      {{{299, 1}}, 299},
      {{{70, 3}, {71, 3}, {150, 3}, {256, 3}}, 70},
      {{{0, -1}, {1, -1}}, 2},
      {{{5, 1}, {200, 2}}, 200},
      {{{5, 2}, {200, 1}}, 5},
      {{{31, 4}, {32, 4}, {63, 4}, {64, 4}}, 31},
      {{{130, kInfinity}, {131, kInfinity}}, 130},
  };
  constexpr int64_t kVocabulary = 300;
  for (const Case& c : cases) {
    Matrix logits(1, kVocabulary);
    for (const auto& [id, value] : c.logits) logits(0, id) = value;
    for (const int64_t slice : {int64_t{64}, int64_t{128}, kVocabulary}) {
      OpsHarness harness(device());
      const TensorView all = harness.Put(logits, DType::kFloat32);
      const TensorView state = harness.Result(1, 4, DType::kFloat32);
      for (int64_t from = 0; from < kVocabulary; from += slice) {
        const LogProbArgs args{
            .logits = all.Cols(from, std::min(slice, kVocabulary - from)),
            .first_column = from,
            .targets = {7},
            .state = state};
        ASSERT_TRUE(harness.ops().LogProb(harness.stream(), args).ok());
      }
      EXPECT_EQ(harness.Get(state)(0, 3), c.want) << slice;
    }
  }
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
