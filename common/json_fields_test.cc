#include "common/json_fields.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/json.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using nlohmann::json;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

class JsonFieldsTest : public testing::Test {
 protected:
  JsonFields Fields(const std::string& text) {
    object_ = ParseJson(text).value();
    return JsonFields::Create(object_, "f.json").value();
  }

 private:
  json object_;
};

TEST_F(JsonFieldsTest, ReadsFieldsOfEachType) {
  const JsonFields fields =
      Fields(R"({"i": -3, "s": "x", "b": false, "n": 2.5, "m": 2})");
  EXPECT_THAT(fields.Int("i", {.min = -3, .max = -3}), IsOkAndHolds(-3));
  EXPECT_THAT(fields.String("s"), IsOkAndHolds("x"));
  EXPECT_THAT(fields.OptionalBool("b"), IsOkAndHolds(testing::Optional(false)));
  EXPECT_THAT(fields.OptionalNumber("n"), IsOkAndHolds(testing::Optional(2.5)));
  EXPECT_THAT(fields.OptionalNumber("m"), IsOkAndHolds(testing::Optional(2.0)));
}

TEST_F(JsonFieldsTest, AbsentAndNullAreUnsetOrMissing) {
  const JsonFields fields = Fields(R"({"null": null})");
  for (const char* field : {"null", "absent"}) {
    EXPECT_THAT(fields.OptionalInt(field, {}), IsOkAndHolds(std::nullopt));
    EXPECT_THAT(fields.OptionalBool(field), IsOkAndHolds(std::nullopt));
    EXPECT_THAT(fields.OptionalNumber(field), IsOkAndHolds(std::nullopt));
    EXPECT_THAT(fields.OptionalString(field), IsOkAndHolds(std::nullopt));
    EXPECT_THAT(
        fields.Int(field, {}),
        StatusIs(kInvalid, std::string("f.json: ") + field + ": missing"));
    EXPECT_THAT(fields.String(field), StatusIs(kInvalid, "missing"));
  }
}

TEST_F(JsonFieldsTest, WrongTypesAreQuoted) {
  const JsonFields fields = Fields(
      R"({"f": 1.0, "s": "1", "big": 9223372036854775808, "l": [1],
          "long": "0123456789012345678901234567890123456789"})");
  EXPECT_THAT(fields.Int("f", {}),
              StatusIs(kInvalid, "f.json: f: must be an integer; is 1.0"));
  EXPECT_THAT(fields.Int("s", {.min = 0}),
              StatusIs(kInvalid,
                       "f.json: s: must be an integer of at least 0; is "
                       "\"1\""));
  EXPECT_THAT(fields.Int("big", {}),
              StatusIs(kInvalid, "is 9223372036854775808"));
  EXPECT_THAT(fields.Int("l", {}), StatusIs(kInvalid, "is a list"));
  EXPECT_THAT(fields.OptionalNumber("s"),
              StatusIs(kInvalid, "must be a number; is \"1\""));
  EXPECT_THAT(fields.OptionalBool("f"),
              StatusIs(kInvalid, "must be true or false; is 1.0"));
  EXPECT_THAT(fields.OptionalString("f"),
              StatusIs(kInvalid, "must be a string; is 1.0"));
  EXPECT_THAT(
      fields.OptionalBool("long"),
      StatusIs(kInvalid, "is \"012345678901234567890123456789012345678..."));
}

TEST_F(JsonFieldsTest, IntegersKeepToTheirRange) {
  const JsonFields fields = Fields(R"({"i": 5})");
  EXPECT_THAT(fields.Int("i", {.min = 5, .max = 5}), IsOkAndHolds(5));
  EXPECT_THAT(fields.Int("i", {.min = 6, .max = 9}),
              StatusIs(kInvalid, "must be an integer in 6..9; is 5"));
  EXPECT_THAT(fields.Int("i", {.min = 1, .max = 4}), StatusIs(kInvalid));
}

TEST(JsonFieldsCreateTest, RefusesWhatIsNoObject) {
  EXPECT_THAT(JsonFields::Create(json::array(), "f.json").status(),
              StatusIs(kInvalid,
                       "f.json: must hold a JSON object; holds a "
                       "list"));
}

}  // namespace
}  // namespace hybridserve
