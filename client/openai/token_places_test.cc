#include "client/openai/token_places.h"

#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

constexpr char kPart[] = "\xef\xbf\xbd";  // What a part of a character says.

TEST(TokenPlacesTest, CountsCharacters) {
  TokenPlaces places;
  places.AddPrefix("\xc3\xa9\xe2\x82\xac");
  places.AddText("\xe2\x82\xac ab");
  EXPECT_EQ(places.Place("\xe2\x82\xac"), 2);
  EXPECT_EQ(places.Place(" ab"), 3);
  places.AddText("c");
  EXPECT_EQ(places.Place("c"), 6);
}

TEST(TokenPlacesTest, PartsOfACharacterBeginWithIt) {
  TokenPlaces places;
  EXPECT_EQ(places.Place(kPart), 0);  // Each in a message of its own.
  places.AddText("\xc3\xa9");
  EXPECT_EQ(places.Place(kPart), 0);
  places.AddText("x");
  EXPECT_EQ(places.Place("x"), 1);
  places.AddText("\xe2\x82\xac\xf0\x9f\x98\x80y");  // All in one.
  EXPECT_EQ(places.Place(kPart), 2);
  EXPECT_EQ(places.Place(kPart), 2);
  EXPECT_EQ(places.Place("\xf0\x9f\x98\x80"), 3);
  EXPECT_EQ(places.Place("y"), 4);
}

TEST(TokenPlacesTest, TokensThatAreNotShownTakeNoRoom) {
  TokenPlaces places;
  places.AddText("ab");
  EXPECT_EQ(places.Place("a"), 0);
  EXPECT_EQ(places.Place("</s>"), 1);
  EXPECT_EQ(places.Place("b"), 1);
  EXPECT_EQ(places.Place("</s>"), 2);
}

TEST(TokenPlacesTest, TextMayBeHeldBack) {
  TokenPlaces places;
  places.AddText("a");
  EXPECT_EQ(places.Place("a"), 0);
  EXPECT_EQ(places.Place("EN"), 1);
  places.AddText("ENx");
  EXPECT_EQ(places.Place("x"), 3);
  places.AddText("y");  // The end of "yE" may be the beginning of a stop.
  EXPECT_EQ(places.Place("yE"), 4);
  places.AddText("Ez");
  EXPECT_EQ(places.Place("z"), 6);
}

TEST(TokenPlacesTest, NeverGoesBackOrPastTheText) {
  TokenPlaces places;
  places.AddText("abab");
  EXPECT_EQ(places.Place("b"), 0);  // Not there: no place of its own.
  EXPECT_EQ(places.Place("b"), 1);  // Looked for.
  EXPECT_EQ(places.Place("ababab"), 2);
  EXPECT_EQ(places.Place("b"), 3);
  EXPECT_EQ(places.Place("b"), 4);
}

}  // namespace
}  // namespace hybridserve::openai
