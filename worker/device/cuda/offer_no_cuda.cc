// Of builds without the CUDA toolkit.

#include "worker/device/cuda/offer_cuda.h"

namespace hybridserve {

void OfferCuda() {}

}  // namespace hybridserve
