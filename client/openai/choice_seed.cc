#include "client/openai/choice_seed.h"

namespace hybridserve::openai {

// SplitMix64 (Steele, Lea, Flood 2014): a bijection of the 64-bit integers, so
// no two choices of a request have the same seed.
uint64_t ChoiceSeed(uint64_t seed, int64_t choice) {
  if (choice == 0) return seed;
  uint64_t bits = seed + static_cast<uint64_t>(choice) * 0x9e3779b97f4a7c15U;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
  return bits ^ (bits >> 31);
}

}  // namespace hybridserve::openai
