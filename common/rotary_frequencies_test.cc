#include "common/rotary_frequencies.h"

#include <vector>

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(RotaryFrequenciesTest, FallFromOneTurnARadianOn) {
  const std::vector<float> frequencies = RotaryFrequencies(8, 10000, {});
  ASSERT_EQ(frequencies.size(), 4U);
  EXPECT_EQ(frequencies[0], 1);
  EXPECT_FLOAT_EQ(frequencies[1], 0.1F);
  EXPECT_FLOAT_EQ(frequencies[2], 0.01F);
  EXPECT_FLOAT_EQ(frequencies[3], 0.001F);
}

TEST(RotaryFrequenciesTest, ScaleAllBySlowingDown) {
  const std::vector<float> plain = RotaryFrequencies(8, 10000, {});
  const std::vector<float> slow = RotaryFrequencies(8, 10000, {.factor = 4});
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_FLOAT_EQ(slow[i], plain[i] / 4);
  }
}

// As transformers' _compute_llama3_parameters with Llama 3.1's settings:
// positions of 64 and its wave lengths at either end and between.
TEST(RotaryFrequenciesTest, ScaleByWaveLength) {
  const RotaryScaling scaling = {.factor = 8,
                                 .by_wave_length = true,
                                 .low_frequency_factor = 1,
                                 .high_frequency_factor = 4,
                                 .original_positions = 8192};
  const std::vector<float> plain = RotaryFrequencies(128, 500000, {});
  const std::vector<float> scaled = RotaryFrequencies(128, 500000, scaling);
  for (size_t i = 0; i < plain.size(); ++i) {
    const double length = 6.283185307179586 / plain[i];
    if (length < 2048) {
      EXPECT_EQ(scaled[i], plain[i]) << i;
    } else if (length > 8192) {
      EXPECT_FLOAT_EQ(scaled[i], plain[i] / 8) << i;
    } else {
      EXPECT_LT(scaled[i], plain[i]) << i;
      EXPECT_GT(scaled[i], plain[i] / 8) << i;
    }
  }
}

}  // namespace
}  // namespace hybridserve
