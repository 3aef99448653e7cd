#include "client/text_table.h"

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(TextTableTest, AlignsTheFirstColumnLeftAndTheOthersRight) {
  TextTable table;
  table.AddRow({"policy", "ms"});
  table.AddRow({"kv", "12.5"});
  EXPECT_EQ(table.ToString(), "policy    ms\nkv      12.5\n");
}

TEST(TextTableTest, RowsMayDifferInLength) {
  TextTable table;
  table.AddRow({"a"});
  table.AddRow({"b", "1", "2"});
  EXPECT_EQ(table.ToString(), "a\nb  1  2\n");
  EXPECT_EQ(TextTable().ToString(), "");
}

}  // namespace
}  // namespace hybridserve
