#ifndef HYBRIDSERVE_COMMON_TOP_TOKEN_H_
#define HYBRIDSERVE_COMMON_TOP_TOKEN_H_

#include <cstdint>

namespace hybridserve {

// One of the likeliest ids in a token's place, and its natural log-prob, under
// the model's own distribution. Lists of them begin with the likeliest, the
// lowest id among equals.
struct TopToken {
  int32_t token = 0;
  float log_prob = 0;

  friend bool operator==(const TopToken&, const TopToken&) = default;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_TOP_TOKEN_H_
