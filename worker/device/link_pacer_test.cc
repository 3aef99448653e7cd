#include "worker/device/link_pacer.h"

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

TEST(LinkPacerTest, ATransferTakesBytesOverBandwidth) {
  LinkPacer pacer(1e6);
  const LinkPacer::Transfer transfer = pacer.Schedule(kStart, 500'000);
  EXPECT_EQ(transfer.begin, kStart);
  EXPECT_EQ(transfer.end, kStart + absl::Milliseconds(500));
}

TEST(LinkPacerTest, TransfersQueueBehindEachOther) {
  LinkPacer pacer(1e6);
  pacer.Schedule(kStart, 1'000'000);
  // Ready while the first is under way: starts when that ends.
  const LinkPacer::Transfer second =
      pacer.Schedule(kStart + absl::Milliseconds(300), 1'000'000);
  EXPECT_EQ(second.begin, kStart + absl::Seconds(1));
  EXPECT_EQ(second.end, kStart + absl::Seconds(2));
}

TEST(LinkPacerTest, BytesComeEvenly) {
  LinkPacer pacer(1e6);
  const LinkPacer::Transfer transfer = pacer.Schedule(kStart, 1'000'000);
  EXPECT_EQ(transfer.At(0), transfer.begin);
  EXPECT_EQ(transfer.At(0.25), kStart + absl::Milliseconds(250));
  EXPECT_EQ(transfer.At(1), transfer.end);
}

TEST(LinkPacerTest, AnIdleLinkSavesNothingUp) {
  LinkPacer pacer(1e6);
  pacer.Schedule(kStart, 1000);
  EXPECT_EQ(pacer.Schedule(kStart + absl::Seconds(10), 1'000'000).end,
            kStart + absl::Seconds(11));
}

TEST(LinkPacerTest, UnpacedTransfersArriveAtOnce) {
  LinkPacer pacer(0);
  EXPECT_EQ(pacer.Schedule(kStart, 1'000'000'000).end, kStart);
}

TEST(WaitUntilTest, NeverReturnsEarly) {
  for (const absl::Duration wait :
       {absl::Seconds(-1), absl::ZeroDuration(), absl::Microseconds(20),
        absl::Milliseconds(3)}) {
    const absl::Time deadline = MonotonicNow() + wait;
    WaitUntil(deadline);
    EXPECT_GE(MonotonicNow(), deadline);
  }
}

}  // namespace
}  // namespace hybridserve
