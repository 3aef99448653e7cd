#include "tests/emulation/emulated_device.h"

#include <unistd.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/emulation/fault_log.h"
#include "tests/emulation/kernel_memory.h"

namespace hybridserve::emulation {
namespace {

constexpr int64_t kSharedBytesUnasked = 48 << 10;

// As the runtime's: each thread of the host has its own.
thread_local cudaError_t last_error_of_thread = cudaSuccess;

}  // namespace

EmulatedDevice& EmulatedDevice::Get() {
  static auto& device = *new EmulatedDevice;
  return device;
}

EmulatedDevice::EmulatedDevice() {
  absl::MutexLock lock(&mutex_);
  default_stream_ = queues_.CreateStream();
}

void EmulatedDevice::SetMachine(const EmulatedMachine& machine) {
  absl::MutexLock lock(&mutex_);
  machine_ = machine;
}

EmulatedMachine EmulatedDevice::machine() const {
  absl::MutexLock lock(&mutex_);
  return machine_;
}

void EmulatedDevice::SetSeed(uint64_t seed) {
  absl::MutexLock lock(&mutex_);
  queues_.SetSeed(seed);
  kernel_seed_ = seed;
}

cudaError_t EmulatedDevice::Remember(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) {
    last_error_of_thread = error;
  }
  return error;
}

cudaError_t EmulatedDevice::TakeLastError() {
  return std::exchange(last_error_of_thread, cudaSuccess);
}

cudaError_t EmulatedDevice::last_error() const { return last_error_of_thread; }

cudaError_t EmulatedDevice::State() const {
  return queues_.broken() ? cudaErrorLaunchFailure : cudaSuccess;
}

const StreamQueues::StreamPtr& EmulatedDevice::Of(cudaStream_t stream) const {
  return stream == nullptr ? default_stream_ : stream->stream;
}

cudaStream_t EmulatedDevice::CreateStream() {
  absl::MutexLock lock(&mutex_);
  std::unique_ptr<CUstream_st> stream(new CUstream_st{queues_.CreateStream()});
  const cudaStream_t handle = stream.get();
  streams_[handle] = std::move(stream);
  return handle;
}

bool EmulatedDevice::DestroyStream(cudaStream_t stream) {
  absl::MutexLock lock(&mutex_);
  return streams_.erase(stream) == 1;  // Its work goes on.
}

cudaEvent_t EmulatedDevice::CreateEvent() {
  absl::MutexLock lock(&mutex_);
  std::unique_ptr<CUevent_st> event(new CUevent_st{queues_.CreateEvent()});
  const cudaEvent_t handle = event.get();
  events_[handle] = std::move(event);
  return handle;
}

bool EmulatedDevice::DestroyEvent(cudaEvent_t event) {
  absl::MutexLock lock(&mutex_);
  return events_.erase(event) == 1;
}

bool EmulatedDevice::IsStream(cudaStream_t stream) const {
  absl::MutexLock lock(&mutex_);
  return stream == nullptr || streams_.contains(stream);
}

bool EmulatedDevice::IsEvent(cudaEvent_t event) const {
  absl::MutexLock lock(&mutex_);
  return events_.contains(event);
}

cudaError_t EmulatedDevice::Enqueue(cudaStream_t stream, Operation operation) {
  absl::MutexLock lock(&mutex_);
  queues_.Enqueue(Of(stream), std::move(operation));
  return State();
}

bool EmulatedDevice::broken() const {
  absl::MutexLock lock(&mutex_);
  return queues_.broken();
}

cudaError_t EmulatedDevice::Launch(KernelLaunch launch, cudaStream_t stream) {
  absl::MutexLock lock(&mutex_);
  const auto product = [](const Index3& index) {
    return int64_t{index.x} * index.y * index.z;
  };
  const int64_t threads = product(launch.block);
  if (product(launch.grid) == 0 || threads == 0 || threads > 1024 ||
      launch.grid.y > 65535 || launch.grid.z > 65535) {
    AddFault(FaultKind::kBadArgument, launch.name,
             absl::StrCat("grid of ", product(launch.grid), " blocks (y ",
                          launch.grid.y, ", z ", launch.grid.z, ") of ",
                          threads, " threads"));
    return cudaErrorInvalidValue;
  }
  KernelRuns& runs = kernel_runs_[launch.name];
  const int64_t size = threads * product(launch.grid);
  runs.fewest_threads =
      runs.launches == 0 ? size : std::min(runs.fewest_threads, size);
  runs.most_threads = std::max(runs.most_threads, size);
  ++runs.launches;
  const uint64_t seed = ++kernel_seed_;
  std::string name = launch.name;
  queues_.Enqueue(
      Of(stream),
      {.name = std::move(name),
       .run = [this, seed, launch = std::move(launch),
               broken_by =
                   machine_.broken_by](std::vector<ByteRange>& touched) {
         if (!broken_by.empty() && access(broken_by.c_str(), F_OK) == 0) {
           return false;
         }
         KernelMemory memory(memory_);
         const bool done = RunKernel(launch, seed, &memory);
         touched = memory.Ranges();
         return done;
       }});
  return State();
}

cudaError_t EmulatedDevice::Record(cudaEvent_t event, cudaStream_t stream) {
  absl::MutexLock lock(&mutex_);
  queues_.Record(Of(stream), event->event);
  return State();
}

cudaError_t EmulatedDevice::Wait(cudaStream_t stream, cudaEvent_t event) {
  absl::MutexLock lock(&mutex_);
  queues_.Wait(Of(stream), event->event);
  return State();
}

cudaError_t EmulatedDevice::Synchronize(cudaStream_t stream) {
  absl::MutexLock lock(&mutex_);
  queues_.Synchronize(*Of(stream));
  return State();
}

cudaError_t EmulatedDevice::Synchronize(cudaEvent_t event) {
  absl::MutexLock lock(&mutex_);
  queues_.Synchronize(*event->event);
  return State();
}

cudaError_t EmulatedDevice::SynchronizeAll() {
  absl::MutexLock lock(&mutex_);
  queues_.SynchronizeAll();
  return State();
}

cudaError_t EmulatedDevice::Query(cudaEvent_t event) {
  absl::MutexLock lock(&mutex_);
  const bool done = queues_.Query(*event->event);
  if (State() != cudaSuccess) return State();
  return done ? cudaSuccess : cudaErrorNotReady;
}

int64_t EmulatedDevice::TimeBetween(cudaEvent_t begin, cudaEvent_t end) const {
  absl::MutexLock lock(&mutex_);
  return StreamQueues::TimeOf(*end->event) -
         StreamQueues::TimeOf(*begin->event);
}

// As the real ones, they wait for all work first.
cudaError_t EmulatedDevice::Free(void* memory, MemoryClass kind) {
  absl::MutexLock lock(&mutex_);
  queues_.SynchronizeAll();
  const auto found = memory_.Find(memory);
  if (!memory_.Free(memory, kind)) return cudaErrorInvalidValue;
  queues_.Forget(found->begin, found->end());
  return State();
}

cudaError_t EmulatedDevice::AllowSharedBytes(const void* kernel,
                                             int64_t bytes) {
  if (bytes > kMostSharedBytes) return cudaErrorInvalidValue;
  absl::MutexLock lock(&mutex_);
  shared_bytes_[kernel] = bytes;
  return cudaSuccess;
}

cudaError_t EmulatedDevice::CheckSharedBytes(const void* kernel,
                                             int64_t bytes) const {
  absl::MutexLock lock(&mutex_);
  const auto allowed = shared_bytes_.find(kernel);
  const int64_t most =
      allowed == shared_bytes_.end() ? kSharedBytesUnasked : allowed->second;
  return bytes <= most ? cudaSuccess : cudaErrorInvalidValue;
}

void EmulatedDevice::ReportLeaks() {
  absl::MutexLock lock(&mutex_);
  queues_.SynchronizeAll();
  if (!streams_.empty()) {
    AddFault(FaultKind::kLeak, "streams",
             absl::StrCat(streams_.size(), " were not destroyed"));
  }
  if (!events_.empty()) {
    AddFault(FaultKind::kLeak, "events",
             absl::StrCat(events_.size(), " were not destroyed"));
  }
  for (const Allocation& allocation : memory_.Live()) {
    AddFault(FaultKind::kLeak, "memory",
             absl::StrCat(allocation.bytes, " bytes were not freed"));
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it was one.
    auto* const begin = reinterpret_cast<void*>(allocation.begin);
    if (allocation.memory == MemoryClass::kRegistered) {
      memory_.Unregister(begin);
    } else {
      memory_.Free(begin, allocation.memory);
    }
  }
  streams_.clear();
  events_.clear();
  queues_ = StreamQueues(kernel_seed_);
  default_stream_ = queues_.CreateStream();
}

std::map<std::string, KernelRuns> EmulatedDevice::kernel_runs() const {
  absl::MutexLock lock(&mutex_);
  return kernel_runs_;
}

}  // namespace hybridserve::emulation
