#include "kernels/philox.h"

namespace hybridserve {

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter,
                                   std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t{0xD2511F53} * counter[0];
    const uint64_t second = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(second),
               static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(first)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return counter;
}

double UniformAt(uint64_t seed, int64_t position) {
  const auto low = [](uint64_t v) { return static_cast<uint32_t>(v); };
  const uint64_t where = static_cast<uint64_t>(position);
  const std::array<uint32_t, 4> words = Philox4x32(
      {low(where), low(where >> 32), 0, 0}, {low(seed), low(seed >> 32)});
  const uint64_t bits = (uint64_t{words[0]} << 32) | words[1];
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace hybridserve
