#include "tests/emulation/access_history.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::emulation {
namespace {

using ::testing::Eq;
using ::testing::Optional;

OperationStamp Stamp(size_t stream, uint64_t count, std::string name,
                     std::optional<size_t> after = std::nullopt) {
  OperationStamp stamp = {
      .stream = stream, .count = count, .name = std::move(name)};
  stamp.before.Raise(stream, count - 1);
  if (after.has_value()) stamp.before.Raise(*after, 1);
  return stamp;
}

std::vector<ByteRange> Range(uintptr_t begin, uintptr_t end, bool written) {
  return {{begin, end, written}};
}

TEST(AccessHistoryTest, OneStreamIsInOrder) {
  AccessHistory history;
  EXPECT_EQ(history.Add(Stamp(0, 1, "a"), Range(0, 8, true)), std::nullopt);
  EXPECT_EQ(history.Add(Stamp(0, 2, "b"), Range(4, 12, true)), std::nullopt);
}

TEST(AccessHistoryTest, StreamsNeedAnEventBetweenThem) {
  AccessHistory history;
  EXPECT_EQ(history.Add(Stamp(0, 1, "write"), Range(0, 8, true)), std::nullopt);
  EXPECT_EQ(history.Add(Stamp(1, 1, "after", 0), Range(0, 8, false)),
            std::nullopt);
  EXPECT_THAT(history.Add(Stamp(2, 1, "read"), Range(7, 9, false)),
              Optional(Eq("write")));
}

TEST(AccessHistoryTest, AWriteComesAfterAllReads) {
  AccessHistory history;
  EXPECT_EQ(history.Add(Stamp(0, 1, "one"), Range(0, 8, false)), std::nullopt);
  EXPECT_EQ(history.Add(Stamp(1, 1, "two"), Range(4, 8, false)), std::nullopt);
  EXPECT_EQ(history.Add(Stamp(2, 1, "low", 0), Range(0, 4, true)),
            std::nullopt);
  EXPECT_THAT(history.Add(Stamp(2, 2, "high", 0), Range(4, 8, true)),
              Optional(Eq("two")));
}

TEST(AccessHistoryTest, OtherBytesAreNobodysBusiness) {
  AccessHistory history;
  EXPECT_EQ(history.Add(Stamp(0, 1, "a"), Range(0, 8, true)), std::nullopt);
  EXPECT_EQ(history.Add(Stamp(1, 1, "b"), Range(8, 16, true)), std::nullopt);
  history.Forget(0, 8);
  EXPECT_EQ(history.Add(Stamp(1, 2, "c"), Range(0, 8, true)), std::nullopt);
}

}  // namespace
}  // namespace hybridserve::emulation
