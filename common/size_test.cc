#include "common/size.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(SizeTest, ParsesEveryUnit) {
  const struct {
    std::string text;
    int64_t bytes;
  } cases[] = {
      {"0", 0},
      {"4096", 4096},
      {"4096B", 4096},
      {"3kB", 3'000},
      {"3KiB", 3'072},
      {"600MB", 600'000'000},
      {"600 MB", 600'000'000},
      {"  7MiB ", 7'340'032},
      {"24GB", 24'000'000'000},
      {"24gb", 24'000'000'000},
      {"1.5GiB", 1'610'612'736},
      {".5kb", 500},
      {"2.TiB", 2'199'023'255'552},
      {"0.1B", 0},
      {"1048576TiB", int64_t{1} << 60},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(ParseSize(c.text), IsOkAndHolds(c.bytes)) << c.text;
  }
}

TEST(SizeTest, RefusesWhatIsNoSize) {
  for (const char* text :
       {"", " ", "GB", "-1", "+1", "1..5GB", "1.5.GB", ".", "1e9", "0x10", "1G",
        "1 G B", "1GBit", "1GB/s", "nan", "inf", "1,5GB", "auto"}) {
    EXPECT_THAT(ParseSize(text),
                StatusIs(absl::StatusCode::kInvalidArgument, "is not a size"))
        << text;
  }
  for (const char* text : {"9223372036854775807", "99999999999999999999",
                           "1048577TiB", "1048576.1TiB"}) {
    EXPECT_THAT(ParseSize(text), StatusIs(absl::StatusCode::kInvalidArgument,
                                          std::string("\"") + text +
                                              "\" is too large for a size"))
        << text;
  }
}

TEST(SizeTest, ParsesBandwidths) {
  EXPECT_THAT(ParseBandwidth("600MB"), IsOkAndHolds(600'000'000));
  EXPECT_THAT(ParseBandwidth("600MB/s"), IsOkAndHolds(600'000'000));
  EXPECT_THAT(ParseBandwidth("1.5 GiB/s "), IsOkAndHolds(1'610'612'736));
  EXPECT_THAT(ParseBandwidth("100/s"), IsOkAndHolds(100));
  EXPECT_THAT(ParseBandwidth("0"),
              StatusIs(absl::StatusCode::kInvalidArgument, "above 0"));
  EXPECT_THAT(ParseBandwidth("1GB/min"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseBandwidth("/s"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(SizeTest, FormatsForPeople) {
  EXPECT_EQ(FormatSize(0), "0 B");
  EXPECT_EQ(FormatSize(999), "999 B");
  EXPECT_EQ(FormatSize(1000), "0.98 KiB");
  EXPECT_EQ(FormatSize(1536), "1.50 KiB");
  EXPECT_EQ(FormatSize(int64_t{10} << 20), "10.0 MiB");
  EXPECT_EQ(FormatSize(int64_t{100} << 30), "100 GiB");
  EXPECT_EQ(FormatSize((int64_t{1} << 30) - 1), "1.00 GiB");
  EXPECT_EQ(FormatSize(std::numeric_limits<int64_t>::max()), "8.00 EiB");
}

}  // namespace
}  // namespace hybridserve
