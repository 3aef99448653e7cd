#ifndef HYBRIDSERVE_COMMON_TOKEN_SCORE_H_
#define HYBRIDSERVE_COMMON_TOKEN_SCORE_H_

#include <cstdint>

namespace hybridserve {

// What a model says of one place of a text that it is given. Log-probs are
// natural.
struct TokenScore {
  float log_prob = 0;      // Of the token that stands there.
  int32_t top_token = 0;   // The likeliest there, the lowest id among equals.
  float top_log_prob = 0;  // Equal to log_prob if that is as likely.

  friend bool operator==(const TokenScore&, const TokenScore&) = default;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_TOKEN_SCORE_H_
