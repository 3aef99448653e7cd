#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_EVENT_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_EVENT_H_

#include "absl/status/status.h"
#include "kernels/device/device.h"

struct CUevent_st;  // *cudaEvent_t, so that others need no CUDA headers.

namespace hybridserve {

// An event of the current device.
class CudaEvent final : public Event {
 public:
  explicit CudaEvent(bool timed = false);
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  ~CudaEvent() override;

  absl::Status Synchronize() override;
  bool Done() const override;

  CUevent_st* get() const { return event_; }

 private:
  CUevent_st* event_ = nullptr;
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_CUDA_EVENT_H_
