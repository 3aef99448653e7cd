#include "common/numbers_by_id.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::nlohmann::json;
using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::Pair;

TEST(NumbersByIdTest, ReadsIdsAndNumbers) {
  EXPECT_THAT(
      NumbersById(json::parse(R"({"5": 1, "0": -2.5, "4294967295": 0})")),
      Optional(ElementsAre(Pair(0, -2.5), Pair(5, 1), Pair(4294967295U, 0))));
  EXPECT_THAT(NumbersById(json::object()), Optional(ElementsAre()));
}

TEST(NumbersByIdTest, NothingOfOtherThings) {
  for (const char* text :
       {"[]", "5", "null", R"("5")", R"({"": 1})", R"({"a": 1})",
        R"({"-1": 1})", R"({"+1": 1})", R"({" 1": 1})", R"({"01": 1})",
        R"({"1.5": 1})", R"({"4294967296": 1})", R"({"5": "1"})",
        R"({"5": true})", R"({"5": null})", R"({"5": 1, "x": 2})"}) {
    EXPECT_EQ(NumbersById(json::parse(text)), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace hybridserve
