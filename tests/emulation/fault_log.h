#ifndef HYBRIDSERVE_TESTS_EMULATION_FAULT_LOG_H_
#define HYBRIDSERVE_TESTS_EMULATION_FAULT_LOG_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hybridserve::emulation {

// What real hardware punishes silently, or not every time.
enum class FaultKind {
  kOutOfBounds,    // An access outside any allocation, or across its end.
  kMisaligned,     // An address that is no multiple of the access's size.
  kHostPointer,    // Memory of the host that the device cannot reach.
  kUseAfterFree,   // Memory that was freed.
  kUninitialized,  // Shared memory that no thread of the block has written.
  kSharedRace,     // Shared memory, threads that no barrier orders.
  kGlobalRace,     // The same of device memory within one kernel.
  kUnordered,      // Operations of streams that no event orders.
  kBarrier,        // Threads at different barriers, or at none.
  kMask,           // Lanes of a warp that disagree about who takes part.
  kPageableCopy,   // An asynchronous copy from or to pageable memory.
  kBadArgument,    // A call that the runtime refuses.
  kLeak,           // Memory, stream or event that was never given back.
};

absl::string_view Name(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kBadArgument;
  std::string where;    // Kernel or call, thread where there is one.
  std::string message;  // For people.
};

std::ostream& operator<<(std::ostream& out, const Fault& fault);

// The faults of this process since the last TakeFaults(), the first of each
// kind and place; tests end by expecting none. Thread-safe.
void AddFault(FaultKind kind, std::string where, std::string message);
std::vector<Fault> TakeFaults();

}  // namespace hybridserve::emulation

#endif  // HYBRIDSERVE_TESTS_EMULATION_FAULT_LOG_H_
