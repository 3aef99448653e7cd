#ifndef HYBRIDSERVE_TESTS_EMULATION_BLOCK_H_
#define HYBRIDSERVE_TESTS_EMULATION_BLOCK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "tests/emulation/touches.h"
#include "tests/emulation/warp_exchange.h"

namespace hybridserve::emulation {

struct Index3 {
  uint32_t x = 0;
  uint32_t y = 0;
  uint32_t z = 0;
};

// What is launched.
struct KernelLaunch {
  std::string name;
  Index3 grid = {1, 1, 1};
  Index3 block = {1, 1, 1};
  int64_t shared_bytes = 0;
  // Run once a thread, with `parameters`, which threads may read.
  void (*run)(const void* parameters) = nullptr;
  std::shared_ptr<const void> parameters;
  int64_t parameter_bytes = 0;
};

// Hears what a kernel's threads do to memory outside of their stacks.
class AccessListener {
 public:
  virtual ~AccessListener() = default;
  virtual void OnAccess(const void* address, int64_t bytes, AccessKind kind,
                        bool scalar) = 0;
};

// One thread of the block that runs.
class KernelThread {
 public:
  virtual ~KernelThread() = default;
  virtual const KernelLaunch& launch() const = 0;
  virtual ThreadPoint point() const = 0;
  // True for memory of this thread's stack.
  virtual bool OwnsStack(const void* address) const = 0;
};

// The thread of a kernel that runs now on this thread of the host; null outside
// of kernels.
KernelThread* CurrentThread();
// Who hears accesses of that kernel; may be null.
AccessListener* CurrentListener();

// For kernels, of the thread that runs now. By value: a kernel's accesses of
// memory are heard.
Index3 ThreadIndex();
Index3 BlockIndex();
Index3 BlockShape();
Index3 GridShape();
int LaneOfWarp();
// Wait, by switching to other threads of the block.
void WaitAtBarrier(const char* file, int line);
uint64_t ArriveAtWarpOp(const WarpArrival& arrival);

// Runs all blocks of a kernel, one after the other, the threads of a block as
// fibres in an order that depends on `seed`. False if threads waited for each
// other in vain (a fault says where); the kernel's other blocks are not run
// then. Faults go to the log. Not reentrant.
bool RunKernel(const KernelLaunch& launch, uint64_t seed,
               AccessListener* listener);

}  // namespace hybridserve::emulation

#endif  // HYBRIDSERVE_TESTS_EMULATION_BLOCK_H_
