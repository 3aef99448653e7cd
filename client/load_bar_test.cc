#include "client/load_bar.h"

#include <cstdint>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::Time kStart = absl::UnixEpoch();
constexpr int64_t kMib = int64_t{1} << 20;

TEST(LoadBarTest, SaysNothingOfAShortLoad) {
  std::ostringstream out;
  LoadBar bar(out, /*is_terminal=*/true, kStart);
  bar.Show({.phase = "planning"}, kStart);
  bar.Show({.phase = "loading", .done_bytes = kMib, .total_bytes = 8 * kMib},
           kStart + absl::Milliseconds(900));
  bar.Show({.phase = "measuring"}, kStart + absl::Milliseconds(2000));
  bar.Finish(kStart + absl::Milliseconds(2100));
  EXPECT_THAT(out.str(), IsEmpty());
}

TEST(LoadBarTest, ShowsWeightsAndWhatFollows) {
  std::ostringstream out;
  LoadBar bar(out, true, kStart);
  bar.Show(
      {.phase = "loading", .done_bytes = 4 * kMib, .total_bytes = 8 * kMib},
      kStart + absl::Seconds(2));
  EXPECT_THAT(out.str(), HasSubstr(" 50% 4/8 2.0/s 0:02 left MiB of weights, "
                                   "loading"));
  bar.Show(
      {.phase = "loading", .done_bytes = 8 * kMib, .total_bytes = 8 * kMib},
      kStart + absl::Seconds(4));
  bar.Show({.phase = "measuring"}, kStart + absl::Seconds(5));
  EXPECT_THAT(out.str(), HasSubstr("100% 8/8 1.6/s MiB of weights, measuring"));
  bar.Finish(kStart + absl::Seconds(6));
  EXPECT_THAT(out.str(), HasSubstr("8/8 1.3/s MiB of weights\033[K\n"));
}

}  // namespace
}  // namespace hybridserve
