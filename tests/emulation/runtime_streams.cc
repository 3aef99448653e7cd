// The runtime's functions on streams, events, kernels and the device (CUDA
// Runtime API, "Stream Management", "Event Management", "Device Management").

#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "cuda_runtime_api.h"
#include "tests/emulation/emulated_device.h"
#include "tests/emulation/fault_log.h"
#include "tests/emulation/kernel_memory.h"

namespace hybridserve::emulation {
namespace {

constexpr int kVersion = 13000;
// An operation of the emulated device takes a microsecond.
constexpr float kMillisecondsPerOperation = 1e-3F;

EmulatedDevice& Device() { return EmulatedDevice::Get(); }

cudaError_t Return(cudaError_t error) { return Device().Remember(error); }

cudaError_t Refuse(absl::string_view call, absl::string_view why) {
  AddFault(FaultKind::kBadArgument, std::string{call}, std::string{why});
  return Return(cudaErrorInvalidResourceHandle);
}

cudaError_t CheckDevice(int device) {
  const EmulatedMachine machine = Device().machine();
  if (!machine.driver) return cudaErrorInsufficientDriver;
  if (machine.devices == 0) return cudaErrorNoDevice;
  return device >= 0 && device < machine.devices ? cudaSuccess
                                                 : cudaErrorInvalidDevice;
}

}  // namespace

// Declared in include/cuda_runtime.h.
cudaError_t LaunchEmulated(KernelLaunch launch, cudaStream_t stream) {
  if (!Device().IsStream(stream)) return Refuse(launch.name, "no such stream");
  return Return(Device().Launch(std::move(launch), stream));
}

cudaError_t AllowSharedBytes(const void* kernel, int bytes) {
  return Return(Device().AllowSharedBytes(kernel, bytes));
}

cudaError_t CheckSharedBytes(const void* kernel, int64_t bytes) {
  return Return(Device().CheckSharedBytes(kernel, bytes));
}

}  // namespace hybridserve::emulation

using hybridserve::emulation::CheckDevice;
using hybridserve::emulation::Device;
using hybridserve::emulation::Refuse;
using hybridserve::emulation::Return;

cudaError_t cudaDriverGetVersion(int* version) {
  *version = Device().machine().driver ? hybridserve::emulation::kVersion : 0;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = hybridserve::emulation::kVersion;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  const cudaError_t error = CheckDevice(0);
  if (error == cudaSuccess) *count = Device().machine().devices;
  return Return(error);
}

cudaError_t cudaSetDevice(int device) { return Return(CheckDevice(device)); }

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return Return(CheckDevice(0));
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  const cudaError_t error = CheckDevice(device);
  if (error != cudaSuccess) return Return(error);
  *properties = {};
  std::snprintf(properties->name, sizeof(properties->name), "emulated");
  properties->totalGlobalMem = Device().machine().device_bytes;
  properties->major = 9;
  properties->minor = 0;
  properties->multiProcessorCount = 2;
  properties->sharedMemPerBlockOptin = hybridserve::kMostSharedBytes;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char* id, int length, int device) {
  const cudaError_t error = CheckDevice(device);
  if (error == cudaSuccess) std::snprintf(id, length, "0000:00:00.0");
  return Return(error);
}

cudaError_t cudaDeviceSynchronize() {
  return Return(Device().SynchronizeAll());
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream,
                                      unsigned int /*flags*/) {
  *stream = Device().CreateStream();
  return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

// Any order that events allow is emulated: priorities are no promise.
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream,
                                         unsigned int flags, int priority) {
  if (priority > 0 || priority < -5) {
    return Refuse("cudaStreamCreateWithPriority", "no such priority");
  }
  return cudaStreamCreateWithFlags(stream, flags);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (!Device().DestroyStream(stream)) {
    return Refuse("cudaStreamDestroy", "no such stream");
  }
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (!Device().IsStream(stream)) {
    return Refuse("cudaStreamSynchronize", "no such stream");
  }
  return Return(Device().Synchronize(stream));
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event,
                                unsigned int /*flags*/) {
  if (!Device().IsStream(stream) || !Device().IsEvent(event)) {
    return Refuse("cudaStreamWaitEvent", "no such stream or event");
  }
  return Return(Device().Wait(stream, event));
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event,
                                     unsigned int /*flags*/) {
  *event = Device().CreateEvent();
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (!Device().DestroyEvent(event)) {
    return Refuse("cudaEventDestroy", "no such event");
  }
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (!Device().IsStream(stream) || !Device().IsEvent(event)) {
    return Refuse("cudaEventRecord", "no such stream or event");
  }
  return Return(Device().Record(event, stream));
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (!Device().IsEvent(event)) {
    return Refuse("cudaEventSynchronize", "no such event");
  }
  return Return(Device().Synchronize(event));
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (!Device().IsEvent(event)) {
    return Refuse("cudaEventQuery", "no such event");
  }
  return Return(Device().Query(event));
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin,
                                 cudaEvent_t end) {
  if (!Device().IsEvent(begin) || !Device().IsEvent(end)) {
    return Refuse("cudaEventElapsedTime", "no such event");
  }
  for (const cudaEvent_t event : {begin, end}) {
    const cudaError_t done = Device().Query(event);
    if (done != cudaSuccess) return Return(done);
  }
  *milliseconds = static_cast<float>(Device().TimeBetween(begin, end)) *
                  hybridserve::emulation::kMillisecondsPerOperation;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() { return Device().TakeLastError(); }
cudaError_t cudaPeekAtLastError() { return Device().last_error(); }

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInitializationError:
      return "cudaErrorInitializationError";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    case cudaErrorIllegalAddress:
      return "cudaErrorIllegalAddress";
    case cudaErrorHostMemoryAlreadyRegistered:
      return "cudaErrorHostMemoryAlreadyRegistered";
    case cudaErrorHostMemoryNotRegistered:
      return "cudaErrorHostMemoryNotRegistered";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorNotSupported:
      return "cudaErrorNotSupported";
    case cudaErrorUnknown:
      return "cudaErrorUnknown";
  }
  return "unrecognized error";
}

const char* cudaGetErrorString(cudaError_t error) {
  return cudaGetErrorName(error);
}
