#include "tests/emulation/warp_exchange.h"

#include <array>
#include <optional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::emulation {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kAll = 0xffffffff;

using Lanes = std::array<std::optional<WarpArrival>, kWarpSize>;

// All lanes of `mask` at one op, each giving 100 + its number.
Lanes ArriveAll(uint32_t mask, WarpOp op) {
  Lanes arrivals;
  for (int lane = 0; lane < kWarpSize; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    arrivals[lane] = {.op = op,
                      .mask = mask,
                      .value = static_cast<uint64_t>(100 + lane),
                      .source = lane};
  }
  return arrivals;
}

WarpRelease ExchangeAll(const Lanes& lanes) {
  WarpArrivals arrivals = {};
  for (int lane = 0; lane < kWarpSize; ++lane) {
    if (lanes[lane].has_value()) arrivals[lane] = &*lanes[lane];
  }
  return Exchange(arrivals);
}

TEST(WarpExchangeTest, NobodyGoesOnBeforeAllAreThere) {
  Lanes arrivals = ArriveAll(kAll, WarpOp::kSync);
  arrivals[7].reset();
  EXPECT_EQ(ExchangeAll(arrivals).lanes, 0U);
  EXPECT_EQ(ExchangeAll(ArriveAll(kAll, WarpOp::kSync)).lanes, kAll);
}

TEST(WarpExchangeTest, OpsPlacesAndMasksAreDistinct) {
  for (const auto& change :
       {+[](WarpArrival& lane) { lane.op = WarpOp::kShuffle; },
        +[](WarpArrival& lane) { lane.line = 9; },
        +[](WarpArrival& lane) { lane.mask = 0xffff; }}) {
    Lanes arrivals = ArriveAll(kAll, WarpOp::kBallot);
    change(*arrivals[3]);
    EXPECT_EQ(ExchangeAll(arrivals).lanes, 0U);
  }
}

TEST(WarpExchangeTest, PartsOfAWarpMeetApart) {
  Lanes arrivals = ArriveAll(0x0000000f, WarpOp::kSync);
  arrivals[9] = {.op = WarpOp::kSync, .mask = 0x300};
  EXPECT_EQ(ExchangeAll(arrivals).lanes, 0xfU);
}

TEST(WarpExchangeTest, ShufflesGiveTheSourcesValue) {
  Lanes arrivals = ArriveAll(kAll, WarpOp::kShuffle);
  for (int lane = 0; lane < kWarpSize; ++lane) {
    arrivals[lane]->source = (lane + 1) % kWarpSize;
  }
  const WarpRelease release = ExchangeAll(arrivals);
  EXPECT_THAT(release.fault, IsEmpty());
  EXPECT_EQ(release.results[0], 101U);
  EXPECT_EQ(release.results[31], 100U);
}

TEST(WarpExchangeTest, AShuffleFromOutsideIsAFault) {
  Lanes arrivals = ArriveAll(0xff, WarpOp::kShuffle);
  arrivals[2]->source = 8;
  EXPECT_THAT(ExchangeAll(arrivals).fault, HasSubstr("lane 2 reads lane 8"));
}

TEST(WarpExchangeTest, AMaskWithoutItsOwnLaneIsAFault) {
  Lanes arrivals;
  arrivals[20] = {.op = WarpOp::kSync, .mask = 0xffff};
  const WarpRelease release = ExchangeAll(arrivals);
  EXPECT_EQ(release.lanes, uint32_t{1} << 20);
  EXPECT_THAT(release.fault, HasSubstr("lane 20"));
}

TEST(WarpExchangeTest, BallotsGatherABitALane) {
  Lanes arrivals = ArriveAll(0xff, WarpOp::kBallot);
  for (int lane = 0; lane < 8; ++lane) arrivals[lane]->value = lane % 2;
  EXPECT_EQ(ExchangeAll(arrivals).results[0], 0xaaU);
}

}  // namespace
}  // namespace hybridserve::emulation
