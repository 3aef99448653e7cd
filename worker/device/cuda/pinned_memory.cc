#include "worker/device/cuda/pinned_memory.h"

#include <cuda_runtime_api.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/size.h"
#include "glog/logging.h"
#include "worker/device/cuda/pinned_ranges.h"

namespace hybridserve {
namespace {

// Pinning takes some tenth of a second a GiB.
constexpr int64_t kWorthALine = int64_t{4} << 30;

// A failed call leaves its error for a later one to be blamed for.
void ForgetLastError() { (void)cudaGetLastError(); }

char* At(void* address, int64_t offset) {
  return static_cast<char*>(address) + offset;
}

void Unregister(void* address, int64_t bytes, int64_t chunk_bytes) {
  for (int64_t from = 0; from < bytes; from += chunk_bytes) {
    PinnedRanges::Get().Remove(At(address, from));
    if (cudaHostUnregister(At(address, from)) != cudaSuccess) ForgetLastError();
  }
}

// All or nothing.
cudaError_t Register(void* address, int64_t bytes, int64_t chunk_bytes) {
  for (int64_t from = 0; from < bytes; from += chunk_bytes) {
    const int64_t chunk = std::min(chunk_bytes, bytes - from);
    const cudaError_t error =
        cudaHostRegister(At(address, from), chunk, cudaHostRegisterPortable);
    if (error == cudaSuccess) {
      PinnedRanges::Get().Add(At(address, from), chunk);
      LOG_IF(INFO, bytes > chunk_bytes)
          << "host memory pinned: " << FormatSize(from + chunk) << " of "
          << FormatSize(bytes);
      continue;
    }
    ForgetLastError();
    Unregister(address, from, chunk_bytes);
    return error;
  }
  return cudaSuccess;
}

}  // namespace

absl::StatusOr<PinnedMemory> PinnedMemory::Allocate(int64_t bytes,
                                                    int64_t chunk_bytes) {
  if (bytes == 0) {
    return PinnedMemory(nullptr, 0, chunk_bytes, Pinning::kAllocated);
  }
  LOG_IF(INFO, bytes >= kWorthALine)
      << "pinning " << FormatSize(bytes) << " of host memory";
  void* address = nullptr;
  if (bytes <= chunk_bytes) {
    const cudaError_t error =
        cudaHostAlloc(&address, bytes, cudaHostAllocPortable);
    if (error == cudaSuccess) {
      PinnedRanges::Get().Add(address, bytes);
      std::memset(address, 0, bytes);
      return PinnedMemory(address, bytes, chunk_bytes, Pinning::kAllocated);
    }
    ForgetLastError();
    LOG(WARNING) << "cudaHostAlloc of " << bytes
                 << " bytes: " << cudaGetErrorString(error)
                 << "; trying cudaHostRegister";
  }
  address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) {
    return absl::ResourceExhaustedError(
        absl::StrCat("host memory of ", bytes, " bytes: ", strerror(errno)));
  }
  const cudaError_t error = Register(address, bytes, chunk_bytes);
  if (error == cudaSuccess) {
    return PinnedMemory(address, bytes, chunk_bytes, Pinning::kRegistered);
  }
  LOG(ERROR) << "host memory of " << bytes << " bytes is not pinned ("
             << cudaGetErrorString(error)
             << "): copies to and from the device will be several times slower";
  return PinnedMemory(address, bytes, chunk_bytes, Pinning::kPageable);
}

PinnedMemory::PinnedMemory(PinnedMemory&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)),
      bytes_(other.bytes_),
      chunk_bytes_(other.chunk_bytes_),
      pinning_(other.pinning_) {}

PinnedMemory::~PinnedMemory() {
  if (address_ == nullptr) return;
  if (pinning_ == Pinning::kAllocated) {
    PinnedRanges::Get().Remove(address_);
    if (cudaFreeHost(address_) != cudaSuccess) ForgetLastError();
    return;
  }
  if (pinning_ == Pinning::kRegistered) {
    Unregister(address_, bytes_, chunk_bytes_);
  }
  munmap(address_, bytes_);
}

}  // namespace hybridserve
