#ifndef HYBRIDSERVE_TESTS_EMULATION_EMULATED_DEVICE_H_
#define HYBRIDSERVE_TESTS_EMULATION_EMULATED_DEVICE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "cuda_runtime_api.h"
#include "tests/emulation/block.h"
#include "tests/emulation/memory_map.h"
#include "tests/emulation/stream_queues.h"

struct CUstream_st {
  hybridserve::emulation::StreamQueues::StreamPtr stream;
};
struct CUevent_st {
  hybridserve::emulation::StreamQueues::EventPtr event;
};

namespace hybridserve::emulation {

// What the emulated machine is like; for tests to set.
struct EmulatedMachine {
  int devices = 1;
  bool driver = true;
  int64_t device_bytes = int64_t{1} << 30;
  // cudaHostAlloc refuses more than this at once, and beyond `pinned_bytes`
  // altogether; cudaHostRegister everything, if not `can_register`.
  int64_t host_alloc_bytes = int64_t{1} << 40;
  int64_t pinned_bytes = int64_t{1} << 40;
  bool can_register = true;
  // Asynchronous copies of pageable memory are no fault: where nothing is
  // pinned there is no other way.
  bool copies_pageable = false;
  // A file: kernels fail from when it is there. Empty: none.
  std::string broken_by;

  static EmulatedMachine ThatPinsNothing() {
    return {
        .host_alloc_bytes = 0, .can_register = false, .copies_pageable = true};
  }
};

// How often a kernel ran, and in what sizes.
struct KernelRuns {
  int64_t launches = 0;
  int64_t fewest_threads = 0;  // Of a launch.
  int64_t most_threads = 0;
};

// The one emulated device of this process, behind the runtime's functions.
// Thread-safe.
class EmulatedDevice {
 public:
  static EmulatedDevice& Get();

  // Before anything is allocated.
  void SetMachine(const EmulatedMachine& machine);
  EmulatedMachine machine() const;
  // The order of what is to come (StreamQueues::SetSeed).
  void SetSeed(uint64_t seed);

  // Runs everything, then logs a fault for each stream, event and piece of
  // memory that was not given back, and takes them back. A broken device is
  // whole again after it.
  void ReportLeaks();
  bool broken() const;
  std::map<std::string, KernelRuns> kernel_runs() const;

  MemoryMap& memory() { return memory_; }
  // Keeps what a call returns for cudaGetLastError.
  cudaError_t Remember(cudaError_t error);
  cudaError_t TakeLastError();
  cudaError_t last_error() const;

  // The runtime's functions, less the checks of their arguments.
  cudaStream_t CreateStream();
  bool DestroyStream(cudaStream_t stream);
  cudaEvent_t CreateEvent();
  bool DestroyEvent(cudaEvent_t event);
  bool IsStream(cudaStream_t stream) const;
  bool IsEvent(cudaEvent_t event) const;
  cudaError_t Enqueue(cudaStream_t stream, Operation operation);
  cudaError_t Launch(KernelLaunch launch, cudaStream_t stream);
  cudaError_t Record(cudaEvent_t event, cudaStream_t stream);
  cudaError_t Wait(cudaStream_t stream, cudaEvent_t event);
  cudaError_t Synchronize(cudaStream_t stream);
  cudaError_t Synchronize(cudaEvent_t event);
  cudaError_t SynchronizeAll();
  cudaError_t Query(cudaEvent_t event);
  int64_t TimeBetween(cudaEvent_t begin, cudaEvent_t end) const;
  cudaError_t Free(void* memory, MemoryClass kind);

  // Dynamic shared memory that a kernel may have: 48 KiB unless it asks.
  cudaError_t AllowSharedBytes(const void* kernel, int64_t bytes);
  cudaError_t CheckSharedBytes(const void* kernel, int64_t bytes) const;

 private:
  EmulatedDevice();

  const StreamQueues::StreamPtr& Of(cudaStream_t stream) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  cudaError_t State() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  MemoryMap memory_;
  mutable absl::Mutex mutex_;  // Also held while operations run.
  EmulatedMachine machine_ ABSL_GUARDED_BY(mutex_);
  StreamQueues queues_ ABSL_GUARDED_BY(mutex_){0};
  uint64_t kernel_seed_ ABSL_GUARDED_BY(mutex_) = 0;
  StreamQueues::StreamPtr default_stream_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<cudaStream_t, std::unique_ptr<CUstream_st>> streams_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<cudaEvent_t, std::unique_ptr<CUevent_st>> events_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<const void*, int64_t> shared_bytes_
      ABSL_GUARDED_BY(mutex_);
  std::map<std::string, KernelRuns> kernel_runs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hybridserve::emulation

#endif  // HYBRIDSERVE_TESTS_EMULATION_EMULATED_DEVICE_H_
