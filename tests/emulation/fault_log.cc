#include "tests/emulation/fault_log.h"

#include <algorithm>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/base/const_init.h"
#include "absl/synchronization/mutex.h"

namespace hybridserve::emulation {
namespace {

// A broken kernel has as many faults as threads; the first ones tell.
constexpr size_t kMostFaults = 64;

ABSL_CONST_INIT absl::Mutex mutex(absl::kConstInit);

std::vector<Fault>& Faults() {
  static auto& faults = *new std::vector<Fault>;
  return faults;
}

}  // namespace

absl::string_view Name(FaultKind kind) {
  switch (kind) {
    case FaultKind::kOutOfBounds:
      return "out of bounds";
    case FaultKind::kMisaligned:
      return "misaligned";
    case FaultKind::kHostPointer:
      return "host pointer";
    case FaultKind::kUseAfterFree:
      return "use after free";
    case FaultKind::kUninitialized:
      return "uninitialized";
    case FaultKind::kSharedRace:
      return "race in shared memory";
    case FaultKind::kGlobalRace:
      return "race in device memory";
    case FaultKind::kUnordered:
      return "unordered operations";
    case FaultKind::kBarrier:
      return "barrier";
    case FaultKind::kMask:
      return "participant mask";
    case FaultKind::kPageableCopy:
      return "pageable copy";
    case FaultKind::kBadArgument:
      return "bad argument";
    case FaultKind::kLeak:
      return "leak";
  }
  return "?";
}

std::ostream& operator<<(std::ostream& out, const Fault& fault) {
  return out << Name(fault.kind) << ": " << fault.where << ": "
             << fault.message;
}

void AddFault(FaultKind kind, std::string where, std::string message) {
  absl::MutexLock lock(&mutex);
  std::vector<Fault>& faults = Faults();
  const bool known =
      std::any_of(faults.begin(), faults.end(), [&](const Fault& fault) {
        return fault.kind == kind && fault.where == where;
      });
  if (known || faults.size() >= kMostFaults) return;
  faults.push_back({kind, std::move(where), std::move(message)});
}

std::vector<Fault> TakeFaults() {
  absl::MutexLock lock(&mutex);
  return std::exchange(Faults(), {});
}

}  // namespace hybridserve::emulation
