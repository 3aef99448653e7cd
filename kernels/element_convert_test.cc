#include "kernels/element_convert.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(ElementConvertTest, EveryBFloat16SurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const float value = BFloat16ToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(BFloat16ToFloat(FloatToBFloat16(value))));
    } else {
      ASSERT_EQ(FloatToBFloat16(value), bits);
    }
  }
}

TEST(ElementConvertTest, EveryFloat16SurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const float value = Float16ToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(Float16ToFloat(FloatToFloat16(value))));
    } else {
      ASSERT_EQ(FloatToFloat16(value), bits);
    }
  }
}

TEST(ElementConvertTest, KnownFloat16Values) {
  EXPECT_EQ(Float16ToFloat(0x3C00), 1.0F);
  EXPECT_EQ(Float16ToFloat(0xC000), -2.0F);
  EXPECT_EQ(Float16ToFloat(0x7BFF), 65504.0F);
  EXPECT_EQ(Float16ToFloat(0x0001), 0x1p-24F);
  EXPECT_EQ(Float16ToFloat(0x7C00), kInfinity);
}

// Halfway between neighbours goes to the even one, anything past it up.
TEST(ElementConvertTest, RoundsToNearestEven) {
  EXPECT_EQ(FloatToBFloat16(1.0F + 0x1p-8F), 0x3F80);
  EXPECT_EQ(FloatToBFloat16(1.0F + 0x1p-8F + 0x1p-20F), 0x3F81);
  EXPECT_EQ(FloatToBFloat16(1.0F + 0x3p-8F), 0x3F82);
  EXPECT_EQ(FloatToBFloat16(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_EQ(FloatToFloat16(1.0F + 0x1p-11F), 0x3C00);
  EXPECT_EQ(FloatToFloat16(1.0F + 0x3p-11F), 0x3C02);
  EXPECT_EQ(FloatToFloat16(65519.0F), 0x7BFF);
  EXPECT_EQ(FloatToFloat16(65520.0F), 0x7C00);
  EXPECT_EQ(FloatToFloat16(0x1p-25F), 0x0000);
  EXPECT_EQ(FloatToFloat16(0x1.8p-25F), 0x0001);
}

TEST(ElementConvertTest, ConvertsBetweenAllTypesUnaligned) {
  const std::vector<float> values = {0, -1.5F, 3, 1024, -kInfinity};
  const DType dtypes[] = {DType::kFloat32, DType::kBFloat16, DType::kFloat16};
  const int64_t count = static_cast<int64_t>(values.size());
  for (const DType from : dtypes) {
    for (const DType to : dtypes) {
      std::vector<char> a(64), b(64);
      std::vector<float> back(values.size());
      ConvertElements(DType::kFloat32, values.data(), from, a.data() + 1,
                      count);
      ConvertElements(from, a.data() + 1, to, b.data() + 3, count);
      ConvertElements(to, b.data() + 3, DType::kFloat32, back.data(), count);
      EXPECT_EQ(back, values) << Name(from) << " to " << Name(to);
    }
  }
}

}  // namespace
}  // namespace hybridserve
