#include "scheduler/tokenizer/stop_matcher.h"

#include <random>
#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

StopMatcher Create(std::vector<std::string> stops) {
  return StopMatcher::Create(std::move(stops)).value();
}

TEST(StopMatcherTest, HoldsBackWhatCouldBeginAStopString) {
  StopMatcher matcher = Create({"\n\nQ:", "END"});
  EXPECT_EQ(matcher.Push("yes\n").text, "yes");
  EXPECT_EQ(matcher.Push("\nno E").text, "\n\nno ");
  EXPECT_EQ(matcher.Push("N").text, "");
  const StopMatcher::Result result = matcher.Push("Dinge");
  EXPECT_EQ(result.text, "");
  EXPECT_EQ(result.stop, 1);
  EXPECT_EQ(matcher.Push("more END").text, "");
  EXPECT_EQ(matcher.Push("END").stop, std::nullopt);
  EXPECT_EQ(matcher.Flush(), "");
}

TEST(StopMatcherTest, FlushGivesBackWhatWasHeld) {
  StopMatcher matcher = Create({"END"});
  EXPECT_EQ(matcher.Push("the EN").text, "the ");
  EXPECT_EQ(matcher.Flush(), "EN");
}

TEST(StopMatcherTest, TheMatchThatEndsFirstCounts) {
  StopMatcher matcher = Create({"abcd", "bc", "abc"});
  const StopMatcher::Result result = matcher.Push("xabcd");
  EXPECT_EQ(result.stop, 2);  // Ends with "bc", but begins before it.
  EXPECT_EQ(result.text, "x");
}

TEST(StopMatcherTest, FindsOverlappingBeginnings) {
  StopMatcher matcher = Create({"aab"});
  EXPECT_EQ(matcher.Push("aaa").text, "a");
  EXPECT_EQ(matcher.Push("b").stop, 0);
}

TEST(StopMatcherTest, WithoutStopStringsTextPasses) {
  StopMatcher matcher = Create({});
  EXPECT_EQ(matcher.Push("abc").text, "abc");
}

TEST(StopMatcherTest, RefusesBadStopStrings) {
  EXPECT_THAT(StopMatcher::Create({"a", ""}),
              StatusIs(kInvalid, "stop[1]: is empty"));
  EXPECT_THAT(StopMatcher::Create({"a\xFF"}),
              StatusIs(kInvalid, "stop[0]: not valid UTF-8 at byte 1"));
  EXPECT_THAT(StopMatcher::Create({std::string(4097, 'a')}),
              StatusIs(kInvalid, "stop[0]: 4097 bytes"));
  EXPECT_THAT(StopMatcher::Create(std::vector<std::string>(65, "a")),
              StatusIs(kInvalid, "65 stop strings"));
}

// Against searching the whole text: however it is cut, the same text comes
// out, and never a byte of the stop string.
TEST(StopMatcherTest, AgreesWithASearchOfTheWholeText) {
  std::mt19937 rng(20240917);
  const auto random_text = [&](size_t size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += rng() % 2 == 0 ? "a" : "\xC3\xA9";
    return text;
  };
  for (int round = 0; round < 2000; ++round) {
    SCOPED_TRACE(round);
    std::vector<std::string> stops;
    for (size_t i = 0; i < 1 + rng() % 3; ++i) {
      stops.push_back(random_text(2 + rng() % 5));
    }
    const std::string text = random_text(30);

    std::string expected = text;
    bool stopped = false;
    for (size_t end = 1; end <= text.size() && !stopped; ++end) {
      for (const std::string& stop : stops) {
        if (end < stop.size() ||
            text.compare(end - stop.size(), stop.size(), stop) != 0) {
          continue;
        }
        const std::string before = text.substr(0, end - stop.size());
        if (!stopped || before.size() < expected.size()) expected = before;
        stopped = true;
      }
    }

    StopMatcher matcher = Create(stops);
    std::string shown;
    bool found = false;
    for (size_t at = 0; at < text.size();) {
      const size_t size = 1 + rng() % 7;
      const StopMatcher::Result result = matcher.Push(text.substr(at, size));
      shown += result.text;
      found |= result.stop.has_value();
      ASSERT_EQ(expected.compare(0, shown.size(), shown), 0);
      at += size;
    }
    shown += matcher.Flush();
    ASSERT_EQ(shown, expected);
    ASSERT_EQ(found, stopped);
  }
}

}  // namespace
}  // namespace hybridserve
