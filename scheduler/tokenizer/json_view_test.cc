#include "scheduler/tokenizer/json_view.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

JsonDocument Parse(absl::string_view text) {
  auto document = JsonDocument::Parse("f.json", text);
  EXPECT_THAT(document, IsOk());
  return *std::move(document);
}

TEST(JsonViewTest, ReadsValues) {
  const JsonDocument document = Parse(
      R"({"s": "x", "b": true, "i": -3, "n": null, "a": [1, 2], "z": 0.0})");
  const JsonView root = document.root();
  EXPECT_THAT(root.Get("s")->String(), IsOkAndHolds("x"));
  EXPECT_THAT(root.Get("b")->Bool(), IsOkAndHolds(true));
  EXPECT_THAT(root.Get("i")->Integer(-3, 0), IsOkAndHolds(-3));
  EXPECT_EQ(root.Get("a")->Elements()->size(), 2u);
  EXPECT_TRUE(root.Get("z")->is_zero());
  EXPECT_FALSE(root.Get("i")->is_zero());
  EXPECT_FALSE(root.Find("n")->has_value());
  EXPECT_FALSE(root.Find("missing")->has_value());
  EXPECT_TRUE(root.FindOrNull("missing")->is_null());
  EXPECT_THAT(root.BoolOr("n", true), IsOkAndHolds(true));
  EXPECT_THAT(root.StringOr("missing", "d"), IsOkAndHolds("d"));
}

TEST(JsonViewTest, ErrorsNameFileAndField) {
  const JsonDocument document = Parse(R"({"a": {"b": [1, "x", 1.5]}})");
  const JsonView root = document.root();
  const JsonView list = *root.Get("a")->Get("b");
  EXPECT_THAT(
      list.Elements()->at(1).Integer(0, 9),
      StatusIs(kInvalid, "f.json: a.b[1]: expected an integer, got string"));
  EXPECT_THAT(list.Elements()->at(0).Integer(5, 9),
              StatusIs(kInvalid, "f.json: a.b[0]: outside [5, 9]"));
  EXPECT_THAT(list.Elements()->at(2).Integer(0, 9), StatusIs(kInvalid));
  EXPECT_THAT(root.Get("c"), StatusIs(kInvalid, "f.json: \"c\" is missing"));
  EXPECT_THAT(list.Get("c"), StatusIs(kInvalid, "expected an object"));
  EXPECT_THAT(root.Get("a")->Elements(), StatusIs(kInvalid, "f.json: a: "));
  EXPECT_THAT(root.CheckOnlyKeys({"a"}), IsOk());
  EXPECT_THAT(root.CheckOnlyKeys({"b"}),
              StatusIs(kInvalid, "f.json: a: unknown field"));
}

TEST(JsonViewTest, HugeIntegersDoNotWrap) {
  const JsonDocument document = Parse("[18446744073709551615, 1e30]");
  const auto elements = document.root().Elements();
  ASSERT_THAT(elements, IsOk());
  for (const JsonView& view : *elements) {
    EXPECT_THAT(view.Integer(-1, 9), StatusIs(kInvalid));
  }
}

TEST(JsonViewTest, KeysAreShownShortAndEscaped) {
  const std::string key = absl::StrCat("\\n", std::string(1000, 'k'));
  const JsonDocument document = Parse(absl::StrCat("{\"", key, "\": 1}"));
  const auto members = document.root().Members();
  ASSERT_THAT(members, IsOk());
  const std::string& path = members->at(0).value.path();
  EXPECT_THAT(path, AllOf(HasSubstr("\\nkkk"), Not(HasSubstr("\n"))));
  EXPECT_LT(path.size(), 100u);
}

TEST(JsonDocumentTest, RefusesWhatIsNotJson) {
  for (const char* text :
       {"", "{", "{\"a\": [1, 2", "nul", "{\"a\":1}x", "[1,]", "\"\xFF\"",
        "\"\\ud800\"", "[1e999]", "{\"a\" 1}", "'a'", "\"a\nb\""}) {
    EXPECT_THAT(JsonDocument::Parse("f.json", text),
                StatusIs(kInvalid, "f.json: not valid JSON at byte"))
        << text;
  }
}

TEST(JsonDocumentTest, RefusesWhatIsTooDeep) {
  const auto nested = [](int depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_THAT(JsonDocument::Parse("f", nested(JsonDocument::kMaxDepth)),
              IsOk());
  EXPECT_THAT(JsonDocument::Parse("f", nested(JsonDocument::kMaxDepth + 1)),
              StatusIs(kInvalid, "deeper than 64"));
  EXPECT_THAT(JsonDocument::Parse("f", nested(1'000'000)),
              StatusIs(kInvalid, "deeper than 64"));
  std::string objects;
  for (int i = 0; i < 1000; ++i) objects += "{\"a\":";
  EXPECT_THAT(JsonDocument::Parse("f", objects),
              StatusIs(kInvalid, "deeper than 64"));
}

TEST(JsonDocumentTest, RefusesTooManyValuesOrBytes) {
  std::string many = "[0";
  for (int64_t i = 0; i < JsonDocument::kMaxValues; ++i) many += ",0";
  many += "]";
  EXPECT_THAT(JsonDocument::Parse("f", many),
              StatusIs(kInvalid, "more than 4000000 JSON values"));
  const std::string large(JsonDocument::kMaxBytes + 1, ' ');
  EXPECT_THAT(JsonDocument::Parse("f", large),
              StatusIs(kInvalid, "67108865 bytes, more than"));
}

}  // namespace
}  // namespace hybridserve
