#include "scheduler/policy/mini_batch_packer.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/algorithm/container.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;

std::vector<std::vector<int32_t>> Indices(std::vector<MiniBatch> batches) {
  std::vector<std::vector<int32_t>> packed;
  packed.reserve(batches.size());
  for (MiniBatch& batch : batches) packed.push_back(std::move(batch.sequences));
  return packed;
}

std::vector<std::vector<int32_t>> InOrder(const std::vector<PackItem>& items,
                                          int64_t half_slots, int64_t rows) {
  return Indices(PackInOrder(items, {.half_slots = half_slots, .rows = rows}));
}

TEST(StagedHalfSlotsTest, CountsWhatABlockStages) {
  const BlockRef host_kv = {CacheKind::kKv, Tier::kHost};
  const BlockRef device_kv = {CacheKind::kKv, Tier::kDevice};
  const BlockRef host_act = {CacheKind::kAct, Tier::kHost};
  const BlockRef device_act = {CacheKind::kAct, Tier::kDevice};
  EXPECT_EQ(StagedHalfSlots(host_kv), 2);
  EXPECT_EQ(StagedHalfSlots(device_kv), 0);
  EXPECT_EQ(StagedHalfSlots(host_act), 3);
  EXPECT_EQ(StagedHalfSlots(device_act), 3);
  EXPECT_EQ(StagedHalfSlots({host_kv, device_kv, host_act}), 5);
  EXPECT_EQ(StagedHalfSlots(absl::Span<const BlockRef>()), 0);
}

TEST(PackInOrderTest, FillsOneAfterTheOther) {
  EXPECT_THAT(InOrder({{4, 1}, {4, 1}, {4, 1}, {2, 1}}, 8, 100),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3)));
}

TEST(PackInOrderTest, RowsBindToo) {
  EXPECT_THAT(InOrder({{0, 3}, {0, 3}, {0, 2}}, 8, 5),
              ElementsAre(ElementsAre(0), ElementsAre(1, 2)));
}

TEST(PackInOrderTest, SequencesWithoutStagingShareOne) {
  EXPECT_THAT(InOrder({{0, 1}, {0, 1}, {0, 1}}, 0, 100),
              ElementsAre(ElementsAre(0, 1, 2)));
}

TEST(PackInOrderTest, NothingGivesNothing) {
  EXPECT_TRUE(InOrder({}, 8, 8).empty());
}

TEST(PackInOrderTest, ATooLargeOneIsAlone) {
  EXPECT_THAT(InOrder({{1, 1}, {9, 1}, {1, 1}}, 8, 100),
              ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
}

// Property: every item once, in order, limits kept, no two neighbours that
// would have fitted together.
TEST(PackInOrderTest, PacksRandomItemsTightly) {
  std::mt19937 rng(7);
  for (int round = 0; round < 500; ++round) {
    SCOPED_TRACE(round);
    const auto max_half_slots = static_cast<int64_t>(1 + rng() % 50);
    const auto max_rows = static_cast<int64_t>(1 + rng() % 50);
    std::vector<PackItem> items(rng() % 40);
    for (PackItem& item : items) {
      item.staged_half_slots =
          static_cast<int64_t>(rng() % (max_half_slots + 1));
      item.rows = static_cast<int64_t>(1 + rng() % max_rows);
    }
    int32_t next = 0;
    PackItem previous = {.staged_half_slots = max_half_slots + 1};
    for (const MiniBatch& batch :
         PackInOrder(items, {.half_slots = max_half_slots, .rows = max_rows})) {
      PackItem sum;
      for (const int32_t index : batch.sequences) {
        ASSERT_EQ(index, next++);
        sum.staged_half_slots += items[index].staged_half_slots;
        sum.rows += items[index].rows;
      }
      ASSERT_LE(sum.staged_half_slots, max_half_slots);
      ASSERT_LE(sum.rows, max_rows);
      ASSERT_TRUE(previous.staged_half_slots + sum.staged_half_slots >
                      max_half_slots ||
                  previous.rows + sum.rows > max_rows);
      previous = sum;
    }
    ASSERT_EQ(next, static_cast<int32_t>(items.size()));
  }
}

// A loads, a rebuilds: one of each beside the other.
TEST(PackMiniBatchesTest, PutsLoadsBesideRebuilds) {
  const PackItem load = {.staged_half_slots = 4, .rows = 1, .load_seconds = 1};
  const PackItem rebuild = {
      .staged_half_slots = 4, .rows = 1, .compute_seconds = 1};
  const std::vector<PackItem> items = {load, load, rebuild, rebuild};
  const PackLimits limits = {.half_slots = 8, .rows = 100};
  const std::vector<MiniBatch> packed = PackMiniBatches(items, limits);
  EXPECT_THAT(Indices(packed),
              ElementsAre(ElementsAre(0, 2), ElementsAre(1, 3)));
  EXPECT_EQ(WaitSeconds(items, limits, packed), 0);
  EXPECT_EQ(WaitSeconds(items, limits, PackInOrder(items, limits)), 2);
}

TEST(PackMiniBatchesTest, TheWeightsCountAsLoads) {
  const std::vector<PackItem> items(
      4, {.staged_half_slots = 4, .rows = 1, .compute_seconds = 1});
  const PackLimits limits = {
      .half_slots = 8, .rows = 100, .shared_load_seconds = 4};
  EXPECT_EQ(WaitSeconds(items, limits, PackMiniBatches(items, limits)), 0);
}

// Equal ones: as many in each, though fewer would do in the last.
TEST(PackMiniBatchesTest, FillsEvenly) {
  const std::vector<PackItem> items(7, {.staged_half_slots = 4,
                                        .rows = 1,
                                        .load_seconds = 1,
                                        .compute_seconds = 2});
  const PackLimits limits = {
      .half_slots = 12, .rows = 100, .shared_load_seconds = 7};
  std::vector<size_t> sizes;
  for (const MiniBatch& batch : PackMiniBatches(items, limits)) {
    sizes.push_back(batch.sequences.size());
  }
  EXPECT_THAT(sizes, testing::UnorderedElementsAre(3, 2, 2));
}

// Those that load little and rebuild much are spread over all.
TEST(PackMiniBatchesTest, SpreadsWhatRebuilds) {
  const PackItem act = {.staged_half_slots = 3,
                        .rows = 1,
                        .load_seconds = 2.5,
                        .compute_seconds = 5.9};
  const PackItem mixed = {.staged_half_slots = 2,
                          .rows = 1,
                          .load_seconds = 2.9,
                          .compute_seconds = 4.2};
  const std::vector<PackItem> items = {act, act, act, act, mixed, mixed, mixed};
  const PackLimits limits = {
      .half_slots = 12, .rows = 100, .shared_load_seconds = 22};
  for (const MiniBatch& batch : PackMiniBatches(items, limits)) {
    EXPECT_EQ(absl::c_count_if(batch.sequences,
                               [](int32_t index) { return index < 4; }),
              2);
  }
}

TEST(PackMiniBatchesTest, NeedsFewerThanInOrder) {
  const std::vector<PackItem> items = {{5, 1}, {6, 1}, {5, 1}, {4, 1}};
  const PackLimits limits = {.half_slots = 10, .rows = 100};
  EXPECT_EQ(PackInOrder(items, limits).size(), 3U);
  EXPECT_THAT(Indices(PackMiniBatches(items, limits)),
              ElementsAre(ElementsAre(0, 2), ElementsAre(1, 3)));
}

TEST(PackMiniBatchesTest, ATooLargeOneIsAlone) {
  EXPECT_THAT(
      Indices(PackMiniBatches(std::vector<PackItem>{{1, 1}, {9, 1}, {1, 1}},
                              {.half_slots = 8, .rows = 100})),
      ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
  EXPECT_TRUE(PackMiniBatches({}, {.half_slots = 8, .rows = 8}).empty());
}

// Property: every item once, limits kept, no more mini-batches than next fit
// makes and none less even; and much more even as a rule.
TEST(PackMiniBatchesTest, EvensOutRandomItems) {
  std::mt19937 rng(20240917);
  std::uniform_real_distribution<double> uniform(0, 1);
  double packed_sum = 0;
  double in_order_sum = 0;
  for (int round = 0; round < 500; ++round) {
    SCOPED_TRACE(round);
    const PackLimits limits = {
        .half_slots = 20 + static_cast<int64_t>(rng() % 200),
        .rows = 10 + static_cast<int64_t>(rng() % 100),
        .shared_load_seconds = uniform(rng)};
    std::vector<PackItem> items(rng() % 100);
    for (PackItem& item : items) {
      item.staged_half_slots = static_cast<int64_t>(rng() % 20);
      item.rows = 1 + static_cast<int64_t>(rng() % 3);
      item.load_seconds = uniform(rng);
      item.compute_seconds = uniform(rng);
    }
    const std::vector<MiniBatch> packed = PackMiniBatches(items, limits);
    const std::vector<MiniBatch> in_order = PackInOrder(items, limits);
    std::vector<int> count(items.size(), 0);
    for (const MiniBatch& batch : packed) {
      ASSERT_FALSE(batch.sequences.empty());
      PackItem sum;
      for (const int32_t index : batch.sequences) {
        ++count[index];
        sum.staged_half_slots += items[index].staged_half_slots;
        sum.rows += items[index].rows;
      }
      ASSERT_LE(sum.staged_half_slots, limits.half_slots);
      ASSERT_LE(sum.rows, limits.rows);
      ASSERT_TRUE(
          std::is_sorted(batch.sequences.begin(), batch.sequences.end()));
    }
    ASSERT_EQ(std::count(count.begin(), count.end(), 1),
              static_cast<int64_t>(count.size()));
    ASSERT_LE(packed.size(), in_order.size());
    const double wait = WaitSeconds(items, limits, packed);
    ASSERT_LE(wait, WaitSeconds(items, limits, in_order));
    packed_sum += wait;
    in_order_sum += WaitSeconds(items, limits, in_order);
  }
  EXPECT_LT(packed_sum, in_order_sum / 2);
}

}  // namespace
}  // namespace hybridserve
