#include "worker/device/sim/sim_buffer.h"

#include <sys/mman.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hybridserve {

absl::StatusOr<std::unique_ptr<Buffer>> SimBuffer::Create(MemorySpace space,
                                                          int64_t bytes) {
  void* const address =
      mmap(nullptr, std::max<int64_t>(bytes, 1), PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no address space for ", bytes, " simulated bytes"));
  }
  return std::unique_ptr<Buffer>(new SimBuffer(space, address, bytes));
}

SimBuffer::~SimBuffer() { munmap(address(), std::max<int64_t>(size(), 1)); }

}  // namespace hybridserve
