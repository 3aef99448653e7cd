#include "client/openai/request_field.h"

#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(RequestFieldTest, IntegersAreWholeAndInRange) {
  EXPECT_THAT(ReadInt("n", json(7), 1, 9), IsOkAndHolds(7));
  EXPECT_THAT(ReadInt("n", json(-7), -9, 9), IsOkAndHolds(-7));
  for (const json& value : {json(0), json(10), json(1.0), json("7"), json(true),
                            json::array(), json(18446744073709551615U)}) {
    SCOPED_TRACE(value.dump());
    const absl::Status status = ReadInt("n", value, 1, 9).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                 "n: must be an integer from 1 to 9"));
    EXPECT_EQ(FieldOf(status), "n");
  }
}

TEST(RequestFieldTest, SeedsHave64BitsWithASignOrWithout) {
  EXPECT_THAT(ReadSeed("seed", json(18446744073709551615U)),
              IsOkAndHolds(18446744073709551615U));
  EXPECT_THAT(ReadSeed("seed", json(-1)), IsOkAndHolds(18446744073709551615U));
  EXPECT_THAT(ReadSeed("seed", json(1.5)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadSeed("seed", json(1e300)),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(RequestFieldTest, StringsMayBeAlone) {
  EXPECT_THAT(ReadStrings("stop", json("x")), IsOkAndHolds(ElementsAre("x")));
  EXPECT_THAT(ReadStrings("stop", json::array({"x", "y"})),
              IsOkAndHolds(ElementsAre("x", "y")));
  EXPECT_THAT(ReadStrings("stop", json::array()), IsOkAndHolds(IsEmpty()));
  for (const json& value :
       {json(1), json::array({"x", 1}), json::object(), json(false)}) {
    SCOPED_TRACE(value.dump());
    EXPECT_THAT(ReadStrings("stop", value),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("stop: must be a string or a list")));
  }
}

TEST(RequestFieldTest, TokenIdsAreNotNegative) {
  EXPECT_THAT(ReadTokenIds("prompt", json::array({0, 2147483647})),
              IsOkAndHolds(ElementsAre(0, 2147483647)));
  for (const json& value :
       {json::array(), json::array({-1}), json::array({2147483648}),
        json::array({1, "x"}), json(5), json("x")}) {
    SCOPED_TRACE(value.dump());
    EXPECT_THAT(ReadTokenIds("prompt", value),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(RequestFieldTest, OtherTypesAreNamed) {
  EXPECT_THAT(
      ReadNumber("top_p", json("1")).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, "top_p: must be a number"));
  EXPECT_THAT(ReadNumber("top_p", json(1)), IsOkAndHolds(1.0));
  EXPECT_THAT(ReadBool("echo", json(1)).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "echo: must be true or false"));
  EXPECT_THAT(
      ReadString("user", json(1)).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, "user: must be a string"));
}

}  // namespace
}  // namespace hybridserve::openai
