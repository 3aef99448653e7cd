#include "common/json.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using nlohmann::json;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

TEST(JsonTest, ParsesEveryKindOfValue) {
  const json value =
      ParseJson(
          R"({"a": [1, -2, 2.5, 18446744073709551615, true, null, "\u00e9"]})")
          .value();
  const json& list = value["a"];
  EXPECT_EQ(list[0].get<int64_t>(), 1);
  EXPECT_EQ(list[1].get<int64_t>(), -2);
  EXPECT_EQ(list[2].get<double>(), 2.5);
  EXPECT_EQ(list[3].get<uint64_t>(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(list[4].get<bool>(), true);
  EXPECT_TRUE(list[5].is_null());
  EXPECT_EQ(list[6].get<std::string>(), "\xc3\xa9");
  EXPECT_THAT(ParseJson(" 7 "), IsOkAndHolds(json(7)));
}

TEST(JsonTest, SaysWhereAndWhyATextIsNotJson) {
  EXPECT_THAT(ParseJson(""), StatusIs(kInvalid, "not valid JSON at byte"));
  EXPECT_THAT(ParseJson("{\"a\": 1"),
              StatusIs(kInvalid, "unexpected end of input"));
  EXPECT_THAT(ParseJson("{\"a\": 1} x"), StatusIs(kInvalid, "at byte 10"));
  EXPECT_THAT(ParseJson("[1,]"), StatusIs(kInvalid, "at byte 4"));
  EXPECT_THAT(ParseJson("NaN"), StatusIs(kInvalid));
  EXPECT_THAT(ParseJson("1e999"), StatusIs(kInvalid, "not valid JSON"));
}

TEST(JsonTest, RefusesWhatIsNotUtf8) {
  EXPECT_THAT(ParseJson("{\"\xff\": 1}"), StatusIs(kInvalid, "UTF-8"));
  EXPECT_THAT(ParseJson("\"\xc0\x80\""), StatusIs(kInvalid, "UTF-8"));
  EXPECT_THAT(ParseJson("\"\xed\xa0\x80\""), StatusIs(kInvalid, "UTF-8"));
  EXPECT_THAT(ParseJson("\"\\ud800\""), StatusIs(kInvalid, "surrogate"));
}

TEST(JsonTest, MessagesArePrintable) {
  const absl::Status status = ParseJson("{\x01\xfe").status();
  ASSERT_THAT(status, StatusIs(kInvalid));
  for (const char c : status.message()) {
    EXPECT_TRUE(c >= ' ' && c <= '~') << status;
  }
}

TEST(JsonTest, RefusesAKeyThatOccursTwice) {
  EXPECT_THAT(ParseJson(R"({"a": 1, "b": 2, "a": 3})"),
              StatusIs(kInvalid, "key \"a\" occurs twice"));
  EXPECT_THAT(ParseJson(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]})"),
              IsOk());
}

TEST(JsonTest, RefusesDeepNestingAndSurvivesAbsurdNesting) {
  const auto nested = [](int depth) {
    return absl::StrCat(std::string(depth, '['), std::string(depth, ']'));
  };
  EXPECT_THAT(ParseJson(nested(64)), IsOk());
  EXPECT_THAT(ParseJson(nested(65)), StatusIs(kInvalid, "deeper than 64"));
  std::string absurd;
  absurd.resize(10'000'000, '[');
  EXPECT_THAT(ParseJson(absurd), StatusIs(kInvalid, "deeper than 64"));
  EXPECT_THAT(ParseJson(nested(3), {.max_depth = 2}),
              StatusIs(kInvalid, "deeper than 2"));
}

TEST(JsonTest, RefusesTextAboveTheSizeLimit) {
  EXPECT_THAT(ParseJson("[1234]", {.max_bytes = 6}), IsOk());
  EXPECT_THAT(ParseJson("[12345]", {.max_bytes = 6}),
              StatusIs(kInvalid, "JSON of 7 bytes; the limit is 6"));
}

TEST(JsonTest, RefusesMoreValuesThanTheLimit) {
  EXPECT_THAT(ParseJson("[1, {\"a\": 2}]", {.max_values = 5}), IsOk());
  EXPECT_THAT(ParseJson("[1, {\"a\": 2}]", {.max_values = 4}),
              StatusIs(kInvalid, "more than 4 keys and values"));
}

}  // namespace
}  // namespace hybridserve
