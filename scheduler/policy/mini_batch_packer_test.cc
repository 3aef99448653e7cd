#include "scheduler/policy/mini_batch_packer.h"

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;

std::vector<std::vector<int32_t>> Pack(const std::vector<PackItem>& items,
                                       int64_t max_half_slots,
                                       int64_t max_rows) {
  std::vector<std::vector<int32_t>> packed;
  for (MiniBatch& batch : PackMiniBatches(items, max_half_slots, max_rows)) {
    packed.push_back(std::move(batch.sequences));
  }
  return packed;
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

TEST(PackMiniBatchesTest, FillsOneAfterTheOther) {
  EXPECT_THAT(Pack({{4, 1}, {4, 1}, {4, 1}, {2, 1}}, 8, 100),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3)));
}

TEST(PackMiniBatchesTest, RowsBindToo) {
  EXPECT_THAT(Pack({{0, 3}, {0, 3}, {0, 2}}, 8, 5),
              ElementsAre(ElementsAre(0), ElementsAre(1, 2)));
}

TEST(PackMiniBatchesTest, SequencesWithoutStagingShareOne) {
  EXPECT_THAT(Pack({{0, 1}, {0, 1}, {0, 1}}, 0, 100),
              ElementsAre(ElementsAre(0, 1, 2)));
}

TEST(PackMiniBatchesTest, NothingGivesNothing) {
  EXPECT_TRUE(Pack({}, 8, 8).empty());
}

TEST(PackMiniBatchesTest, ATooLargeOneIsAlone) {
  EXPECT_THAT(Pack({{1, 1}, {9, 1}, {1, 1}}, 8, 100),
              ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
}

// Property: every item once, in order, limits kept, no two neighbours that
// would have fitted together.
TEST(PackMiniBatchesTest, PacksRandomItemsTightly) {
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
         PackMiniBatches(items, max_half_slots, max_rows)) {
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

}  // namespace
}  // namespace hybridserve
