#include "worker/device/cpu_buffer.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace hybridserve {
namespace {

// From this size on, huge pages: GEMV over small ones spends its time in TLB
// misses.
constexpr int64_t kHugePageBytes = 2 << 20;

absl::string_view Name(MemorySpace space) {
  return space == MemorySpace::kHost ? "host" : "device";
}

}  // namespace

bool MemoryBudget::Take(int64_t bytes) {
  int64_t left = left_;
  do {
    if (left < bytes) return false;
  } while (!left_.compare_exchange_weak(left, left - bytes));
  return true;
}

absl::StatusOr<std::unique_ptr<CpuBuffer>> CpuBuffer::Create(
    MemorySpace space, int64_t bytes, MemoryBudget& budget) {
  if (bytes < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a buffer of ", bytes, " bytes"));
  }
  if (!budget.Take(bytes)) {
    return absl::ResourceExhaustedError(
        absl::StrCat(Name(space), " memory: ", bytes, " bytes asked for, ",
                     budget.left(), " left"));
  }
  // Empty buffers get a page too: an address, as any other.
  void* address = mmap(nullptr, bytes > 0 ? bytes : 1, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    budget.GiveBack(bytes);
    return absl::ResourceExhaustedError(absl::StrCat(
        Name(space), " memory: ", bytes, " bytes: ", std::strerror(errno)));
  }
  // Advice: without huge pages it only runs slower.
  if (bytes >= kHugePageBytes) madvise(address, bytes, MADV_HUGEPAGE);
  return std::unique_ptr<CpuBuffer>(
      new CpuBuffer(space, address, bytes, budget));
}

CpuBuffer::CpuBuffer(MemorySpace space, void* address, int64_t bytes,
                     MemoryBudget& budget)
    : Buffer(space, address, bytes), budget_(budget) {}

CpuBuffer::~CpuBuffer() {
  munmap(address(), size() > 0 ? size() : 1);
  budget_.GiveBack(size());
}

}  // namespace hybridserve
