#include "worker/device/cuda/offer_cuda.h"

#include "worker/device/cuda/cuda_device.h"
#include "worker/device/device_factory.h"

namespace hybridserve {

void OfferCuda() {
  SetGpuOpener(
      [](int ordinal) { return CreateCudaDevice({.ordinal = ordinal}); });
}

}  // namespace hybridserve
