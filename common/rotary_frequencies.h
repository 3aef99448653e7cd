#ifndef HYBRIDSERVE_COMMON_ROTARY_FREQUENCIES_H_
#define HYBRIDSERVE_COMMON_ROTARY_FREQUENCIES_H_

#include <cstdint>
#include <vector>

namespace hybridserve {

// How rotary positions are stretched for longer contexts than a model was first
// trained with.
struct RotaryScaling {
  double factor = 1;  // Slower by it: all, or by wave length.
  // Llama 3.1's: slow waves are slowed down, fast ones stay, those in between
  // are mixed. Fast: original_positions / high_frequency_factor or shorter.
  bool by_wave_length = false;
  double low_frequency_factor = 1;
  double high_frequency_factor = 4;
  int64_t original_positions = 8192;
};

// Radians that a position turns each of the head_dim / 2 pairs
// (arXiv:2104.09864, eq. 15): 1 / theta^(2 i / head_dim), in float32 as
// transformers computes them. Pure.
std::vector<float> RotaryFrequencies(int64_t head_dim, double theta,
                                     const RotaryScaling& scaling);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_ROTARY_FREQUENCIES_H_
