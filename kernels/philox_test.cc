#include "kernels/philox.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using ::testing::ElementsAre;

// The known answers of Random123, kat_vectors.
TEST(PhiloxTest, GivesThePublishedWords) {
  EXPECT_THAT(Philox4x32({0, 0, 0, 0}, {0, 0}),
              ElementsAre(0x6627E8D5U, 0xE169C58DU, 0xBC57AC4CU, 0x9B00DBD8U));
  EXPECT_THAT(Philox4x32({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}),
              ElementsAre(0x408F276DU, 0x41C83B0EU, 0xA20BC7C6U, 0x6D5451FDU));
  EXPECT_THAT(Philox4x32({0x243F6A88U, 0x85A308D3U, 0x13198A2EU, 0x03707344U},
                         {0xA4093822U, 0x299F31D0U}),
              ElementsAre(0xD16CFE09U, 0x94FDCCEBU, 0x5001E420U, 0x24126EA1U));
}

TEST(PhiloxTest, DrawsAreUniformInTheUnitInterval) {
  constexpr int kDraws = 20'000;
  int bins[10] = {};
  for (int position = 0; position < kDraws; ++position) {
    const double draw = UniformAt(12345, position);
    ASSERT_GE(draw, 0);
    ASSERT_LT(draw, 1);
    ++bins[static_cast<int>(draw * 10)];
  }
  for (const int count : bins) EXPECT_NEAR(count, kDraws / 10.0, 5 * 43);
}

TEST(PhiloxTest, SeedAndPositionBothMatter) {
  EXPECT_EQ(UniformAt(1, 2), UniformAt(1, 2));
  EXPECT_NE(UniformAt(1, 2), UniformAt(2, 1));
  EXPECT_NE(UniformAt(1, 2), UniformAt(uint64_t{1} << 32 | 1, 2));
  EXPECT_NE(UniformAt(1, 2), UniformAt(1, (int64_t{1} << 32) + 2));
}

}  // namespace
}  // namespace hybridserve
