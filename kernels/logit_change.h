#ifndef HYBRIDSERVE_KERNELS_LOGIT_CHANGE_H_
#define HYBRIDSERVE_KERNELS_LOGIT_CHANGE_H_

#include <cstdint>

namespace hybridserve {

// What becomes of one id's logit before a token is chosen: it takes the
// repetition penalty if the id came up before, then gains `plus`.
struct LogitChange {
  int32_t id = 0;
  bool is_repeated = false;
  float plus = 0;  // Finite.

  friend bool operator==(const LogitChange&, const LogitChange&) = default;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_LOGIT_CHANGE_H_
