// The runtime's functions on memory (CUDA Runtime API, "Memory Management").

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cuda_runtime_api.h"
#include "tests/emulation/emulated_device.h"
#include "tests/emulation/fault_log.h"

namespace hybridserve::emulation {
namespace {

EmulatedDevice& Device() { return EmulatedDevice::Get(); }

cudaError_t Return(cudaError_t error) { return Device().Remember(error); }

cudaError_t Refuse(cudaError_t error, absl::string_view call,
                   absl::string_view why) {
  AddFault(FaultKind::kBadArgument, std::string{call}, std::string{why});
  return Return(error);
}

std::optional<Allocation> Find(const void* memory) {
  return Device().memory().Find(memory);
}

// Whether bytes of `found` are live and within it; a fault if not. Pageable
// memory of the host, which nobody knows, passes.
bool IsUsable(absl::string_view call, const std::optional<Allocation>& found,
              const void* memory, int64_t bytes) {
  if (!found.has_value()) return true;
  if (found->freed) {
    AddFault(FaultKind::kUseAfterFree, std::string{call},
             absl::StrCat(bytes, " bytes of memory that was freed"));
    return false;
  }
  if (reinterpret_cast<uintptr_t>(memory) + bytes > found->end()) {
    AddFault(FaultKind::kOutOfBounds, std::string{call},
             absl::StrCat(bytes, " bytes beyond the end of ", found->bytes));
    return false;
  }
  return true;
}

// The same for both ends of a copy.
bool AreUsable(absl::string_view call, const void* to, const void* from,
               int64_t bytes) {
  const bool to_is_usable = IsUsable(call, Find(to), to, bytes);
  return IsUsable(call, Find(from), from, bytes) && to_is_usable;
}

ByteRange RangeOf(const void* memory, int64_t bytes, bool written) {
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  return {begin, begin + bytes, written};
}

bool IsDevice(const std::optional<Allocation>& found) {
  return found.has_value() && found->memory == MemoryClass::kDevice;
}

bool Matches(cudaMemcpyKind kind, bool to_device, bool from_device) {
  switch (kind) {
    case cudaMemcpyHostToHost:
      return !to_device && !from_device;
    case cudaMemcpyHostToDevice:
      return to_device && !from_device;
    case cudaMemcpyDeviceToHost:
      return !to_device && from_device;
    case cudaMemcpyDeviceToDevice:
      return to_device && from_device;
    case cudaMemcpyDefault:
      return true;
  }
  return false;
}

cudaError_t Copy(absl::string_view call, void* to, const void* from,
                 int64_t bytes, cudaMemcpyKind kind, cudaStream_t stream,
                 bool asynchronous) {
  if (!Device().IsStream(stream)) {
    return Refuse(cudaErrorInvalidResourceHandle, call, "no such stream");
  }
  if (bytes == 0) return cudaSuccess;
  if (!AreUsable(call, to, from, bytes)) return Return(cudaErrorInvalidValue);
  const std::optional<Allocation> target = Find(to);
  const std::optional<Allocation> source = Find(from);
  if (!Matches(kind, IsDevice(target), IsDevice(source))) {
    AddFault(FaultKind::kHostPointer, std::string{call},
             "the kind of copy is not that of the pointers");
    return Return(cudaErrorInvalidValue);
  }
  if (asynchronous && (!target.has_value() || !source.has_value()) &&
      !Device().machine().copies_pageable) {
    AddFault(
        FaultKind::kPageableCopy, std::string{call},
        absl::StrCat(bytes, target.has_value() ? " bytes from pageable memory"
                                               : " bytes to pageable memory"));
  }
  return Return(Device().Enqueue(
      stream,
      {.name = std::string{call}, .run = [=](std::vector<ByteRange>& touched) {
         // It may have been freed since.
         if (!AreUsable(call, to, from, bytes)) return false;
         std::memmove(to, from, bytes);
         touched = {RangeOf(to, bytes, true), RangeOf(from, bytes, false)};
         return true;
       }}));
}

cudaError_t Fill(absl::string_view call, void* memory, int value, int64_t bytes,
                 cudaStream_t stream) {
  if (!Device().IsStream(stream)) {
    return Refuse(cudaErrorInvalidResourceHandle, call, "no such stream");
  }
  if (bytes == 0) return cudaSuccess;
  const std::optional<Allocation> target = Find(memory);
  if (!target.has_value()) {
    return Refuse(cudaErrorInvalidValue, call, "not the device's memory");
  }
  if (!IsUsable(call, target, memory, bytes)) {
    return Return(cudaErrorInvalidValue);
  }
  return Return(Device().Enqueue(
      stream,
      {.name = std::string{call}, .run = [=](std::vector<ByteRange>& touched) {
         std::memset(memory, value, bytes);
         touched = {RangeOf(memory, bytes, true)};
         return true;
       }}));
}

}  // namespace
}  // namespace hybridserve::emulation

using hybridserve::emulation::Device;
using hybridserve::emulation::MemoryClass;
using hybridserve::emulation::Refuse;
using hybridserve::emulation::Return;

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const int64_t bytes = Device().machine().device_bytes;
  *total = bytes;
  *free = bytes - Device().memory().live_bytes(MemoryClass::kDevice);
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  *memory = nullptr;
  const int64_t used = Device().memory().live_bytes(MemoryClass::kDevice);
  if (static_cast<int64_t>(bytes) > Device().machine().device_bytes - used) {
    return Return(cudaErrorMemoryAllocation);
  }
  *memory = Device().memory().Allocate(static_cast<int64_t>(bytes),
                                       MemoryClass::kDevice);
  if (*memory == nullptr && bytes > 0) return Return(cudaErrorMemoryAllocation);
  // As on hardware, it holds what was there before.
  if (bytes > 0) std::memset(*memory, 0xa5, bytes);
  return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
  if (memory == nullptr) return cudaSuccess;
  const cudaError_t error = Device().Free(memory, MemoryClass::kDevice);
  if (error == cudaErrorInvalidValue) {
    return Refuse(error, "cudaFree", "not the begin of live device memory");
  }
  return Return(error);
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned int /*flags*/) {
  *memory = nullptr;
  const auto machine = Device().machine();
  const int64_t used = Device().memory().live_bytes(MemoryClass::kPinned);
  const auto wanted = static_cast<int64_t>(bytes);
  if (wanted > machine.host_alloc_bytes ||
      wanted > machine.pinned_bytes - used) {
    return Return(cudaErrorMemoryAllocation);
  }
  *memory = Device().memory().Allocate(wanted, MemoryClass::kPinned);
  if (*memory == nullptr && bytes > 0) return Return(cudaErrorMemoryAllocation);
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  if (memory == nullptr) return cudaSuccess;
  const cudaError_t error = Device().Free(memory, MemoryClass::kPinned);
  if (error == cudaErrorInvalidValue) {
    return Refuse(error, "cudaFreeHost", "not the begin of live pinned memory");
  }
  return Return(error);
}

cudaError_t cudaHostRegister(void* memory, size_t bytes,
                             unsigned int /*flags*/) {
  if (!Device().machine().can_register) return Return(cudaErrorNotSupported);
  if (!Device().memory().Register(memory, static_cast<int64_t>(bytes))) {
    return Refuse(cudaErrorHostMemoryAlreadyRegistered, "cudaHostRegister",
                  "overlaps memory that is pinned");
  }
  return cudaSuccess;
}

cudaError_t cudaHostUnregister(void* memory) {
  Device().SynchronizeAll();
  if (!Device().memory().Unregister(memory)) {
    return Refuse(cudaErrorHostMemoryNotRegistered, "cudaHostUnregister",
                  "was not registered");
  }
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes,
                       cudaMemcpyKind kind) {
  const cudaError_t error = hybridserve::emulation::Copy(
      "cudaMemcpy", to, from, static_cast<int64_t>(bytes), kind, nullptr,
      /*asynchronous=*/false);
  if (error != cudaSuccess) return error;
  return Return(Device().Synchronize(cudaStream_t{nullptr}));
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes,
                            cudaMemcpyKind kind, cudaStream_t stream) {
  return hybridserve::emulation::Copy("cudaMemcpyAsync", to, from,
                                      static_cast<int64_t>(bytes), kind, stream,
                                      /*asynchronous=*/true);
}

cudaError_t cudaMemset(void* memory, int value, size_t bytes) {
  return hybridserve::emulation::Fill("cudaMemset", memory, value,
                                      static_cast<int64_t>(bytes), nullptr);
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes,
                            cudaStream_t stream) {
  return hybridserve::emulation::Fill("cudaMemsetAsync", memory, value,
                                      static_cast<int64_t>(bytes), stream);
}
