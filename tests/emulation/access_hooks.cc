// The compiler calls these before each access of memory in emulated CUDA
// sources, which are compiled with -fsanitize=thread and not linked with its
// runtime: the kernels' very code is watched, host code beside it is let be.

#include <cstdint>

#include "tests/emulation/block.h"

namespace {

using hybridserve::emulation::AccessKind;

inline void Hear(const void* address, int64_t bytes, AccessKind kind,
                 bool scalar) {
  if (hybridserve::emulation::CurrentThread() == nullptr) return;
  auto* const listener = hybridserve::emulation::CurrentListener();
  if (listener != nullptr) listener->OnAccess(address, bytes, kind, scalar);
}

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void* /*caller*/) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void* /*table*/, void* /*value*/) {}

#define HYBRIDSERVE_HOOKS(bytes)                      \
  void __tsan_read##bytes(void* address) {            \
    Hear(address, bytes, AccessKind::kRead, true);    \
  }                                                   \
  void __tsan_write##bytes(void* address) {           \
    Hear(address, bytes, AccessKind::kWrite, true);   \
  }                                                   \
  void __tsan_unaligned_read##bytes(void* address) {  \
    Hear(address, bytes, AccessKind::kRead, true);    \
  }                                                   \
  void __tsan_unaligned_write##bytes(void* address) { \
    Hear(address, bytes, AccessKind::kWrite, true);   \
  }
HYBRIDSERVE_HOOKS(1)
HYBRIDSERVE_HOOKS(2)
HYBRIDSERVE_HOOKS(4)
HYBRIDSERVE_HOOKS(8)
HYBRIDSERVE_HOOKS(16)
#undef HYBRIDSERVE_HOOKS

// Structures; those of the size of a vector load are one.
void __tsan_read_range(void* address, uint64_t bytes) {
  Hear(address, static_cast<int64_t>(bytes), AccessKind::kRead,
       bytes == 8 || bytes == 16);
}
void __tsan_write_range(void* address, uint64_t bytes) {
  Hear(address, static_cast<int64_t>(bytes), AccessKind::kWrite,
       bytes == 8 || bytes == 16);
}

// Of host code beside kernels (reference counts); kernels have atomicAdd.
#define HYBRIDSERVE_ATOMICS(bits)                                             \
  uint##bits##_t __tsan_atomic##bits##_load(const volatile void* address,     \
                                            int /*order*/) {                  \
    return __atomic_load_n(                                                   \
        static_cast<const volatile uint##bits##_t*>(address),                 \
        __ATOMIC_SEQ_CST);                                                    \
  }                                                                           \
  uint##bits##_t __tsan_atomic##bits##_fetch_add(                             \
      volatile void* address, uint##bits##_t value, int /*order*/) {          \
    return __atomic_fetch_add(static_cast<volatile uint##bits##_t*>(address), \
                              value, __ATOMIC_SEQ_CST);                       \
  }
HYBRIDSERVE_ATOMICS(32)
HYBRIDSERVE_ATOMICS(64)
#undef HYBRIDSERVE_ATOMICS

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
