#include "scheduler/policy/open_batches.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(OpenBatchesTest, FillsTheEmptiest) {
  OpenBatches batches(3, {.half_slots = 10, .rows = 10});
  EXPECT_EQ(batches.Put({.staged_half_slots = 6, .rows = 1}, 1), 0);
  EXPECT_EQ(batches.Put({.staged_half_slots = 4, .rows = 1}, 1), 1);
  EXPECT_EQ(batches.Put({.staged_half_slots = 5, .rows = 1}, 1), 2);
  EXPECT_EQ(batches.Put({.staged_half_slots = 5, .rows = 1}, 1), 1);
  EXPECT_EQ(batches.Put({.staged_half_slots = 6, .rows = 1}, 3), -1);
  EXPECT_EQ(batches.Put({.staged_half_slots = 1, .rows = 1}, 3), 2);
}

TEST(OpenBatchesTest, RowsFillToo) {
  OpenBatches batches(2, {.half_slots = 0, .rows = 4});
  EXPECT_EQ(batches.Put({.rows = 3}, 2), 0);
  EXPECT_EQ(batches.Put({.rows = 2}, 2), 1);
  EXPECT_EQ(batches.Put({.rows = 2}, 2), 1);
  EXPECT_EQ(batches.Put({.rows = 2}, 2), -1);
  EXPECT_EQ(batches.Put({.rows = 1}, 2), 0);
}

TEST(OpenBatchesTest, EvensOutAmongThoseItLooksAt) {
  const PackItem load = {.staged_half_slots = 2, .rows = 1, .load_seconds = 1};
  const PackItem rebuild = {
      .staged_half_slots = 2, .rows = 1, .compute_seconds = 1};
  OpenBatches batches(2, {.half_slots = 10, .rows = 10});
  EXPECT_EQ(batches.Put(load, 2), 0);
  EXPECT_EQ(batches.Put(rebuild, 2), 0);  // Though the other is emptier.
  EXPECT_EQ(batches.Put(rebuild, 1), 1);
}

// Property: with all looked at, the one to which it adds least, of those that
// it fits in; -1 where it fits in none.
TEST(OpenBatchesTest, AgreesWithATrialOfAll) {
  std::mt19937 rng(20240917);
  std::uniform_real_distribution<double> seconds(0, 1);
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    const PackLimits limits = {
        .half_slots = 1 + static_cast<int64_t>(rng() % 3000),
        .rows = 1 + static_cast<int64_t>(rng() % 50),
        .shared_load_seconds = seconds(rng)};
    const auto count = static_cast<int32_t>(1 + rng() % 20);
    OpenBatches batches(count, limits);
    std::vector<PackItem> sums(
        count, {.load_seconds = limits.shared_load_seconds / count});
    for (int i = 0; i < 100; ++i) {
      const PackItem item = {
          .staged_half_slots =
              static_cast<int64_t>(rng() % (limits.half_slots + 1)) / 4,
          .rows = 1 + static_cast<int64_t>(rng() % 3),
          .load_seconds = seconds(rng),
          .compute_seconds = seconds(rng)};
      double least = INFINITY;
      const auto added = [&item](const PackItem& sum) {
        return (sum + item).seconds() - sum.seconds();
      };
      for (const PackItem& sum : sums) {
        if (sum.staged_half_slots + item.staged_half_slots <=
                limits.half_slots &&
            sum.rows + item.rows <= limits.rows) {
          least = std::min(least, added(sum));
        }
      }
      const int32_t put = batches.Put(item, count);
      ASSERT_EQ(put == -1, std::isinf(least));
      if (put == -1) continue;
      PackItem& sum = sums[put];
      ASSERT_NEAR(added(sum), least, 1e-9);
      sum = sum + item;
      ASSERT_LE(sum.staged_half_slots, limits.half_slots);
      ASSERT_LE(sum.rows, limits.rows);
    }
  }
}

}  // namespace
}  // namespace hybridserve
