#include "scheduler/queue/fair_lane.h"

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;

WaitingRequest Request(uint64_t key, std::string tenant, int64_t tokens = 10,
                       int32_t priority = 0) {
  return {.key = RequestKey(key),
          .tenant = std::move(tenant),
          .priority = priority,
          .tokens = tokens};
}

std::vector<uint64_t> Order(const FairLane& lane) {
  std::vector<uint64_t> keys;
  lane.Visit([&](RequestKey key) {
    keys.push_back(key.value());
    return true;
  });
  return keys;
}

TEST(FairLaneTest, OneTenantsGoByAge) {
  FairLane lane;
  lane.Add(Request(2, ""), false);
  lane.Add(Request(3, ""), false);
  lane.Add(Request(1, ""), false);
  EXPECT_THAT(Order(lane), ElementsAre(1, 2, 3));
  EXPECT_EQ(lane.size(), 3);
  EXPECT_EQ(lane.tokens(), 30);
}

TEST(FairLaneTest, TenantsTakeTurnsByTokens) {
  FairLane lane;
  for (uint64_t key = 1; key <= 4; ++key) {
    lane.Add(Request(key, "a", 10), false);
  }
  lane.Add(Request(5, "b", 20), false);
  lane.Add(Request(6, "b", 20), false);
  // At equal starts the older head goes first.
  EXPECT_THAT(Order(lane), ElementsAre(1, 5, 2, 3, 6, 4));
}

TEST(FairLaneTest, TakingMatchesTheVisit) {
  std::mt19937 rng(7);
  for (int round = 0; round < 50; ++round) {
    FairLane lane;
    std::map<uint64_t, WaitingRequest> waiting;
    for (uint64_t key = 1; key <= 20; ++key) {
      WaitingRequest request =
          Request(key, absl::StrCat("t", rng() % 4), 1 + rng() % 50,
                  static_cast<int32_t>(rng() % 3));
      lane.Add(request, rng() % 8 == 0);
      waiting.emplace(key, std::move(request));
    }
    const std::vector<uint64_t> order = Order(lane);
    ASSERT_EQ(order.size(), 20U);
    for (const uint64_t key : order) {
      EXPECT_EQ(Order(lane).front(), key);
      lane.Take(waiting.at(key));
    }
    EXPECT_TRUE(lane.empty());
    EXPECT_EQ(lane.tokens(), 0);
  }
}

TEST(FairLaneTest, ThousandsOfOneTenantDoNotHoldUpAnother) {
  FairLane lane;
  for (uint64_t key = 1; key <= 10'000; ++key) {
    lane.Add(Request(key, "many"), false);
  }
  for (uint64_t key = 1; key <= 100; ++key) lane.Take(Request(key, "many"));
  lane.Add(Request(20'000, "one"), false);
  EXPECT_EQ(Order(lane)[0], 20'000U);
  EXPECT_EQ(Order(lane)[1], 101U);
  EXPECT_EQ(lane.TokensBefore("one", 10), 20);  // Its own and one of the many.
}

TEST(FairLaneTest, AnIdleTenantSavesNothingUp) {
  FairLane lane;
  lane.Add(Request(1, "a"), false);
  lane.Add(Request(2, "b"), false);
  lane.Add(Request(3, "b"), false);
  lane.Add(Request(4, "b"), false);
  lane.Take(Request(1, "a"));
  lane.Take(Request(2, "b"));
  lane.Take(Request(3, "b"));
  // a was away while b was served twice: it is not owed two.
  lane.Add(Request(5, "a"), false);
  lane.Add(Request(6, "a"), false);
  EXPECT_THAT(Order(lane), ElementsAre(5, 4, 6));
}

TEST(FairLaneTest, LeavingAndComingBackGainsNothing) {
  FairLane lane;
  lane.Add(Request(1, "a", 100), false);
  lane.Add(Request(2, "b", 10), false);
  lane.Add(Request(3, "b", 10), false);
  lane.Take(Request(1, "a", 100));
  lane.Add(Request(4, "a", 10), false);
  EXPECT_THAT(Order(lane), ElementsAre(2, 3, 4));
}

TEST(FairLaneTest, PriorityOrdersATenantsOwn) {
  FairLane lane;
  lane.Add(Request(1, "a", 10, 0), false);
  lane.Add(Request(2, "a", 10, 5), false);
  lane.Add(Request(3, "b", 10, 0), false);
  lane.Add(Request(4, "a", 10, -5), false);
  EXPECT_THAT(Order(lane), ElementsAre(2, 3, 1, 4));
}

TEST(FairLaneTest, WhatComesBackIsFirstAndPaidFor) {
  FairLane lane;
  lane.Add(Request(5, "a"), false);
  lane.Add(Request(6, "b"), false);
  lane.Add(Request(4, "b"), true);
  lane.Add(Request(3, "a"), true);
  EXPECT_THAT(Order(lane), ElementsAre(3, 4, 5, 6));
  lane.Take(Request(3, "a"));
  EXPECT_THAT(Order(lane), ElementsAre(4, 5, 6));
  lane.Remove(Request(4, "b"));
  EXPECT_THAT(Order(lane), ElementsAre(5, 6));
}

TEST(FairLaneTest, SharesAreEqualWhileAllWait) {
  std::mt19937 rng(3);
  FairLane lane;
  std::map<uint64_t, WaitingRequest> waiting;
  uint64_t key = 0;
  const std::vector<std::pair<std::string, int64_t>> sizes = {
      {"small", 5}, {"middle", 20}, {"large", 90}};
  for (const auto& [tenant, tokens] : sizes) {
    for (int i = 0; i < 4000 / tokens; ++i) {
      WaitingRequest request = Request(++key, tenant, 1 + rng() % (2 * tokens));
      lane.Add(request, false);
      waiting.emplace(key, std::move(request));
    }
  }
  std::map<std::string, int64_t> served;
  for (int64_t sum = 0; sum < 6000;) {
    const WaitingRequest& next = waiting.at(Order(lane).front());
    served[next.tenant] += next.tokens;
    sum += next.tokens;
    lane.Take(next);
    // Nobody is ahead by more than two of the largest requests.
    EXPECT_LE(served["small"], served["large"] + 2 * 180);
    EXPECT_LE(served["large"], served["small"] + 2 * 180);
    EXPECT_LE(served["middle"], served["large"] + 2 * 180);
  }
}

}  // namespace
}  // namespace hybridserve
