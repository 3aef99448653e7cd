#include "worker/device/cuda/argument_ring.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/status_macros.h"
#include "kernels/copy_cuda.h"
#include "worker/device/cuda/cuda_buffer.h"

namespace hybridserve {

absl::StatusOr<std::unique_ptr<ArgumentRing>> ArgumentRing::Create(
    int slots, int64_t slot_bytes) {
  std::unique_ptr<ArgumentRing> ring(new ArgumentRing(slots));
  RETURN_IF_ERROR(ring->Allocate(slot_bytes));
  return ring;
}

absl::Status ArgumentRing::Allocate(int64_t slot_bytes) {
  const int64_t bytes = slot_bytes * static_cast<int64_t>(used_.size());
  ASSIGN_OR_RETURN(std::unique_ptr<Buffer> host,
                   CreateCudaBuffer(MemorySpace::kHost, bytes));
  ASSIGN_OR_RETURN(std::unique_ptr<Buffer> device,
                   CreateCudaBuffer(MemorySpace::kDevice, bytes));
  // What they replace is read until then.
  for (const auto& event : used_) RETURN_IF_ERROR(event->Synchronize());
  host_ = std::move(host);
  device_ = std::move(device);
  slot_bytes_ = slot_bytes;
  return absl::OkStatus();
}

absl::StatusOr<char*> ArgumentRing::Upload(CudaStream& stream,
                                           absl::Span<const char> bytes) {
  const auto size = static_cast<int64_t>(bytes.size());
  CUstream_st* const queue = stream.ForOp();  // The device is current now.
  if (size > slot_bytes_) {
    RETURN_IF_ERROR(Allocate(std::max(2 * slot_bytes_, (size + 63) / 64 * 64)));
  }
  RETURN_IF_ERROR(used_[next_]->Synchronize());
  const int64_t offset = static_cast<int64_t>(next_) * slot_bytes_;
  std::memcpy(host_->host_bytes().data() + offset, bytes.data(), size);
  char* const to = static_cast<char*>(device_->address()) + offset;
  if (host_->pinned()) {
    const int64_t whole = (size + kCopyCudaAlignment - 1) / kCopyCudaAlignment *
                          kCopyCudaAlignment;
    CopyCudaArgs args = {};
    args.runs[args.num_runs++] = {to, host_->host_bytes().data() + offset,
                                  whole};
    RETURN_IF_ERROR(CopyCuda(args, queue));
    return to;
  }
  const CopyRun run{{device_.get(), offset, size}, {host_.get(), offset, size}};
  RETURN_IF_ERROR(stream.Copy(absl::MakeConstSpan(&run, 1)));
  return to;
}

absl::Status ArgumentRing::Release(CudaStream& stream) {
  CudaEvent& used = *used_[next_];
  next_ = (next_ + 1) % used_.size();
  return stream.Mark(used);
}

}  // namespace hybridserve
