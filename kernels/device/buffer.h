#ifndef HYBRIDSERVE_KERNELS_DEVICE_BUFFER_H_
#define HYBRIDSERVE_KERNELS_DEVICE_BUFFER_H_

#include <cstdint>

#include "absl/types/span.h"
#include "glog/logging.h"

namespace hybridserve {

// The two sides of the link. Where they are one memory (the plain cpu
// backend) both kinds of buffer are ordinary memory and copies are plain.
enum class MemorySpace { kHost, kDevice };

// Contiguous bytes in one memory space, owned; freed with the object. The
// caller keeps it alive until every stream op that names it is done.
class Buffer {
 public:
  virtual ~Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  MemorySpace space() const { return space_; }
  int64_t size() const { return size_; }
  // False: host memory that the driver did not pin. Copies between it and the
  // device work, several times slower and not beside other work.
  bool pinned() const { return pinned_; }

  // The bytes, for host code. Only host buffers have them (CHECKed); ordering
  // against streams is the caller's: wait for an event first.
  absl::Span<char> host_bytes() const {
    CHECK(space_ == MemorySpace::kHost) << "device memory read on the host";
    return absl::MakeSpan(static_cast<char*>(address_), size_);
  }

  // For backends and Ops only: the engine never dereferences it.
  void* address() const { return address_; }

 protected:
  Buffer(MemorySpace space, void* address, int64_t size, bool pinned = true)
      : space_(space), address_(address), size_(size), pinned_(pinned) {}

 private:
  const MemorySpace space_;
  void* const address_;
  const int64_t size_;
  const bool pinned_;
};

// Bytes [offset, offset + size) of a buffer. Borrowed.
struct BufferView {
  const Buffer* buffer = nullptr;
  int64_t offset = 0;
  int64_t size = 0;

  char* address() const {
    return static_cast<char*>(buffer->address()) + offset;
  }
  // The part [from, from + count) of this view; CHECKs that it is inside.
  BufferView Slice(int64_t from, int64_t count) const {
    CHECK(from >= 0 && count >= 0 && from + count <= size)
        << from << "+" << count << " of " << size;
    return {buffer, offset + from, count};
  }
};

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_DEVICE_BUFFER_H_
