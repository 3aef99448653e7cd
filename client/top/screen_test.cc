#include "client/top/screen.h"

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(ScreenTest, ElsewhereFramesFollowEachOtherWithoutEscapeCodes) {
  std::ostringstream out;
  {
    Screen screen(out, /*is_terminal=*/false);
    screen.Show({"a", "b"}, /*rows=*/1);
    screen.Show({"c"}, /*rows=*/1);
  }
  EXPECT_EQ(out.str(), "a\nb\n\nc\n\n");
}

TEST(ScreenTest, OnATerminalEachTakesThePlaceOfTheOneBefore) {
  std::ostringstream out;
  {
    Screen screen(out, /*is_terminal=*/true);
    EXPECT_EQ(out.str(), "\033[?1049h\033[?25l");
    out.str("");
    screen.Show({"a", "b"}, /*rows=*/2);
    EXPECT_EQ(out.str(), "\033[Ha\033[K\r\nb\033[K\033[J");
    out.str("");
  }
  EXPECT_EQ(out.str(), "\033[?25h\033[?1049l");
}

TEST(ScreenTest, WhatDoesNotFitIsLeftOutAndSaid) {
  std::ostringstream out;
  Screen screen(out, /*is_terminal=*/true);
  out.str("");
  screen.Show({"a", "b", "c", "d"}, /*rows=*/3);
  EXPECT_EQ(out.str(),
            "\033[Ha\033[K\r\nb\033[K\r\n(2 more lines)\033[K\033[J");
}

TEST(StdoutSizeTest, GoesByTheEnvironmentWithoutATerminal) {
  if (StdoutIsTerminal()) GTEST_SKIP() << "stdout is a terminal";
  setenv("COLUMNS", "132", /*overwrite=*/1);
  EXPECT_EQ(StdoutSize().columns, 132);
  setenv("COLUMNS", "5", 1);
  EXPECT_EQ(StdoutSize().columns, 20);
  setenv("COLUMNS", "wide", 1);
  EXPECT_EQ(StdoutSize().columns, 80);
  unsetenv("COLUMNS");
  EXPECT_EQ(StdoutSize().columns, 80);
  EXPECT_EQ(StdoutSize().rows, 24);
}

}  // namespace
}  // namespace hybridserve
