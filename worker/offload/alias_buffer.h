#ifndef HYBRIDSERVE_WORKER_OFFLOAD_ALIAS_BUFFER_H_
#define HYBRIDSERVE_WORKER_OFFLOAD_ALIAS_BUFFER_H_

#include "glog/logging.h"
#include "kernels/device/buffer.h"

namespace hybridserve {

// A host buffer's bytes as device memory, where the device is one memory with
// the host (DeviceInfo::one_memory): how ops read weights that were never
// copied. Owns nothing; `host` outlives it.
class AliasBuffer final : public Buffer {
 public:
  explicit AliasBuffer(const Buffer& host)
      : Buffer(MemorySpace::kDevice, host.address(), host.size()) {
    CHECK(host.space() == MemorySpace::kHost);
  }
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_OFFLOAD_ALIAS_BUFFER_H_
