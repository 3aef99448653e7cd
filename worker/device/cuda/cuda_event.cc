#include "worker/device/cuda/cuda_event.h"

#include <cuda_runtime_api.h>

#include "glog/logging.h"
#include "kernels/cuda/status.h"

namespace hybridserve {

CudaEvent::CudaEvent(bool timed) {
  const cudaError_t error =
      cudaEventCreateWithFlags(&event_, timed ? 0 : cudaEventDisableTiming);
  CHECK_EQ(error, cudaSuccess) << cudaGetErrorString(error);
}

CudaEvent::~CudaEvent() {
  if (cudaEventDestroy(event_) != cudaSuccess) (void)cudaGetLastError();
}

absl::Status CudaEvent::Synchronize() {
  return CudaStatus(cudaEventSynchronize(event_), "waiting for an event");
}

// An error is for Synchronize() to tell.
bool CudaEvent::Done() const {
  return cudaEventQuery(event_) != cudaErrorNotReady;
}

}  // namespace hybridserve
