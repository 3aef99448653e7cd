#include "scheduler/queue/request_queue.h"

#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;

RequestKey Key(uint64_t value) { return RequestKey(value); }

std::vector<RequestKey> Keys(const RequestQueue& queue,
                             absl::string_view lane) {
  std::vector<RequestKey> keys;
  queue.Visit(lane, [&](RequestKey key) {
    keys.push_back(key);
    return true;
  });
  return keys;
}

TEST(RequestQueueTest, TheOldestIsNextAlsoWhenItComesBack) {
  RequestQueue queue(10, 1000);
  ASSERT_THAT(queue.Push("m", Key(3), 5), IsOk());
  ASSERT_THAT(queue.Push("m", Key(4), 6), IsOk());
  queue.PutBack("m", Key(1), 7);
  queue.PutBack("m", Key(2), 8);
  EXPECT_THAT(Keys(queue, "m"), ElementsAre(Key(1), Key(2), Key(3), Key(4)));
  EXPECT_EQ(queue.size(), 4);
  EXPECT_EQ(queue.tokens(), 26);

  EXPECT_TRUE(queue.Remove(Key(3)));
  EXPECT_FALSE(queue.Remove(Key(3)));
  EXPECT_THAT(Keys(queue, "m"), ElementsAre(Key(1), Key(2), Key(4)));
  EXPECT_EQ(queue.tokens(), 21);
}

TEST(RequestQueueTest, AVisitEndsWhenItHasSeenEnough) {
  RequestQueue queue(10, 1000);
  ASSERT_THAT(queue.Push("m", Key(1), 5), IsOk());
  ASSERT_THAT(queue.Push("m", Key(2), 6), IsOk());
  int visits = 0;
  queue.Visit("m", [&](RequestKey key) {
    EXPECT_EQ(key, Key(1));
    ++visits;
    return false;
  });
  EXPECT_EQ(visits, 1);
}

TEST(RequestQueueTest, LanesAreApart) {
  RequestQueue queue(10, 1000);
  ASSERT_THAT(queue.Push("a", Key(1), 5), IsOk());
  ASSERT_THAT(queue.Push("b", Key(2), 6), IsOk());
  ASSERT_THAT(queue.Push("a", Key(3), 7), IsOk());
  EXPECT_THAT(Keys(queue, "a"), ElementsAre(Key(1), Key(3)));
  EXPECT_EQ(queue.LaneSize("a"), 2);
  EXPECT_EQ(queue.LaneTokens("a"), 12);
  EXPECT_EQ(queue.LaneSize("b"), 1);
  EXPECT_TRUE(Keys(queue, "c").empty());
  EXPECT_EQ(queue.LaneSize("c"), 0);
  EXPECT_EQ(queue.LaneTokens("c"), 0);
}

TEST(RequestQueueTest, RefusalLeavesTheQueueUnchanged) {
  RequestQueue queue(2, 10);
  EXPECT_THAT(queue.Push("m", Key(1), 11),
              StatusIs(absl::StatusCode::kResourceExhausted, "limit of 10"));
  EXPECT_EQ(queue.size(), 0);
  ASSERT_THAT(queue.Push("m", Key(1), 1), IsOk());
  ASSERT_THAT(queue.Push("m", Key(2), 9), IsOk());
  EXPECT_THAT(queue.Push("m", Key(3), 0),
              StatusIs(absl::StatusCode::kResourceExhausted, "2 requests"));
  EXPECT_FALSE(queue.Contains(Key(3)));
  EXPECT_EQ(queue.tokens(), 10);
}

TEST(RequestQueueTest, NoBoundRefusesWhatComesBack) {
  RequestQueue queue(0, 0);
  queue.PutBack("m", Key(1), 5);
  EXPECT_THAT(Keys(queue, "m"), ElementsAre(Key(1)));
  EXPECT_THAT(queue.Push("m", Key(2), 1),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(RequestQueueDeathTest, ARequestWaitsOnce) {
  RequestQueue queue(10, 100);
  queue.PutBack("m", Key(1), 5);
  EXPECT_DEATH(queue.PutBack("n", Key(1), 5), "request 1 waits already");
}

}  // namespace
}  // namespace hybridserve
