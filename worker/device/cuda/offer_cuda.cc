#include "worker/device/cuda/offer_cuda.h"

#include "worker/device/cuda/cuda_device.h"
#include "worker/device/device_factory.h"

namespace hybridserve {

void OfferCuda() {
  SetGpuOpener([](const GpuOptions& options) {
    return CreateCudaDevice({.ordinal = options.ordinal,
                             .batch_invariant = options.batch_invariant});
  });
}

}  // namespace hybridserve
