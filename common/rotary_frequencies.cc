#include "common/rotary_frequencies.h"

#include <cmath>

namespace hybridserve {
namespace {

constexpr double kTurn = 6.283185307179586;

float Scaled(float frequency, const RotaryScaling& scaling) {
  const double slow = frequency / scaling.factor;
  if (!scaling.by_wave_length) return static_cast<float>(slow);
  const double original = static_cast<double>(scaling.original_positions);
  const double length = kTurn / frequency;
  if (length < original / scaling.high_frequency_factor) return frequency;
  if (length > original / scaling.low_frequency_factor) {
    return static_cast<float>(slow);
  }
  const double fast_share =
      (original / length - scaling.low_frequency_factor) /
      (scaling.high_frequency_factor - scaling.low_frequency_factor);
  return static_cast<float>((1 - fast_share) * slow + fast_share * frequency);
}

}  // namespace

std::vector<float> RotaryFrequencies(int64_t head_dim, double theta,
                                     const RotaryScaling& scaling) {
  std::vector<float> frequencies;
  for (int64_t i = 0; i < head_dim; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(head_dim);
    const float frequency =
        1.0F / std::pow(static_cast<float>(theta), exponent);
    frequencies.push_back(Scaled(frequency, scaling));
  }
  return frequencies;
}

}  // namespace hybridserve
