#include "scheduler/rpc/trace_context.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::Optional;

constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kWhole[] =
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContextTest, ReadsTheTraceId) {
  EXPECT_THAT(ParseTraceId(kWhole), Optional(std::string(kTraceId)));
  EXPECT_THAT(
      ParseTraceId("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff"),
      Optional(std::string(kTraceId)));
}

TEST(TraceContextTest, LaterVersionsMayHaveMoreAfterADash) {
  const std::string later = std::string(kWhole).replace(0, 2, "cc");
  EXPECT_THAT(ParseTraceId(later), Optional(std::string(kTraceId)));
  EXPECT_THAT(ParseTraceId(later + "-what-the-future"),
              Optional(std::string(kTraceId)));
  EXPECT_EQ(ParseTraceId(later + "."), std::nullopt);
}

TEST(TraceContextTest, IgnoresWhatIsNotWellFormed) {
  for (const char* const bad :
       {"", "00", "00-", "nonsense",
        // Version ff; upper case; no hex.
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        // Ids of zeros.
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        // Parts that are short, long, missing or run into each other.
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e47366-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
        // Version 00 has nothing after the flags.
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    EXPECT_EQ(ParseTraceId(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace hybridserve
