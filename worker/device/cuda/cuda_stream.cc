#include "worker/device/cuda/cuda_stream.h"

#include <cuda_runtime_api.h>

#include <utility>

#include "common/status_macros.h"
#include "glog/logging.h"
#include "kernels/copy_cuda.h"
#include "kernels/cuda/status.h"
#include "worker/device/copy_runs.h"
#include "worker/device/cuda/copy_plan.h"

namespace hybridserve {
namespace {

cudaMemcpyKind KindOf(const CopyRun& run) {
  const bool to_host = run.dst.buffer->space() == MemorySpace::kHost;
  const bool from_host = run.src.buffer->space() == MemorySpace::kHost;
  if (to_host) return from_host ? cudaMemcpyHostToHost : cudaMemcpyDeviceToHost;
  return from_host ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToDevice;
}

absl::Status CopyByKernel(absl::Span<const CopyRun> runs, CUstream_st* stream) {
  CopyCudaArgs args = {};
  for (const CopyRun& run : runs) {
    args.runs[args.num_runs++] = {run.dst.address(), run.src.address(),
                                  run.dst.size};
    if (args.num_runs < kCopyCudaRuns) continue;
    RETURN_IF_ERROR(CopyCuda(args, stream));
    args.num_runs = 0;
  }
  return CopyCuda(args, stream);
}

}  // namespace

CudaStream::CudaStream(StreamKind kind, int ordinal)
    : kind_(kind), ordinal_(ordinal) {
  int least = 0;
  int greatest = 0;
  cudaError_t error = cudaDeviceGetStreamPriorityRange(&least, &greatest);
  CHECK_EQ(error, cudaSuccess) << cudaGetErrorString(error);
  // The few blocks of a copy by kernel (kernels/copy_cuda.h) are not to wait
  // for those of a product that have not begun.
  error = cudaStreamCreateWithPriority(
      &stream_, cudaStreamNonBlocking,
      kind == StreamKind::kCompute ? least : greatest);
  CHECK_EQ(error, cudaSuccess) << cudaGetErrorString(error);
}

CudaStream::~CudaStream() {
  Synchronize().IgnoreError();
  if (cudaStreamDestroy(stream_) != cudaSuccess) (void)cudaGetLastError();
}

absl::Status CudaStream::Copy(absl::Span<const CopyRun> runs) {
  ASSIGN_OR_RETURN(const std::vector<CopyRun> merged, MergeCopyRuns(runs));
  if (merged.empty()) return absl::OkStatus();
  const CopyPlan plan = PlanCopies(merged, PinnedRanges::Get());
  CUstream_st* const stream = ForOp();
  if (plan.by_kernel) return CopyByKernel(plan.runs, stream);
  for (const CopyRun& run : plan.runs) {
    RETURN_IF_ERROR(
        CudaStatus(cudaMemcpyAsync(run.dst.address(), run.src.address(),
                                   run.dst.size, KindOf(run), stream),
                   "cudaMemcpyAsync"));
  }
  return absl::OkStatus();
}

absl::Status CudaStream::Record(Event& event) {
  EndSpan();
  return CudaStatus(
      cudaEventRecord(static_cast<CudaEvent&>(event).get(), stream_),
      "cudaEventRecord");
}

absl::Status CudaStream::Mark(CudaEvent& event) {
  return CudaStatus(cudaEventRecord(event.get(), stream_), "cudaEventRecord");
}

absl::Status CudaStream::Wait(Event& event) {
  EndSpan();
  return CudaStatus(
      cudaStreamWaitEvent(stream_, static_cast<CudaEvent&>(event).get(), 0),
      "cudaStreamWaitEvent");
}

absl::Status CudaStream::Synchronize() {
  EndSpan();
  return CudaStatus(cudaStreamSynchronize(stream_), "waiting for a stream");
}

void CudaStream::Begin(const WorkTag& tag) {
  EndSpan();
  tag_ = tag;
  begun_ = false;
}

CUstream_st* CudaStream::ForOp() {
  // Kernels go to the current device of the thread that queues.
  const cudaError_t current = cudaSetDevice(ordinal_);
  LOG_IF(ERROR, current != cudaSuccess) << cudaGetErrorString(current);
  if (!open_.has_value()) {
    open_ = Span{.begin = TakeEvent(),
                 .tag = tag_,
                 .first = !std::exchange(begun_, true)};
    const cudaError_t error = cudaEventRecord(open_->begin->get(), stream_);
    LOG_IF(ERROR, error != cudaSuccess) << cudaGetErrorString(error);
  }
  return stream_;
}

void CudaStream::EndSpan() {
  if (!open_.has_value()) return;
  open_->end = TakeEvent();
  const cudaError_t error = cudaEventRecord(open_->end->get(), stream_);
  LOG_IF(ERROR, error != cudaSuccess) << cudaGetErrorString(error);
  absl::MutexLock lock(&mutex_);
  closed_.push_back(*std::move(open_));
  open_.reset();
  Harvest();
}

std::unique_ptr<CudaEvent> CudaStream::TakeEvent() {
  absl::MutexLock lock(&mutex_);
  if (free_events_.empty()) return std::make_unique<CudaEvent>(/*timed=*/true);
  std::unique_ptr<CudaEvent> event = std::move(free_events_.back());
  free_events_.pop_back();
  return event;
}

void CudaStream::Harvest() const {
  while (!closed_.empty() && closed_.front().end->Done()) {
    Span& span = closed_.front();
    float milliseconds = 0;
    const cudaError_t error =
        cudaEventElapsedTime(&milliseconds, span.begin->get(), span.end->get());
    if (error != cudaSuccess) (void)cudaGetLastError();
    const absl::Duration took = absl::Milliseconds(milliseconds);
    busy_ += took;
    const bool counts = span.first && !span.tag.resumes;
    totals_[span.tag.kind] += {.count = counts ? 1 : 0,
                               .units = counts ? span.tag.units : 0,
                               .busy = took};
    free_events_.push_back(std::move(span.begin));
    free_events_.push_back(std::move(span.end));
    closed_.pop_front();
  }
}

absl::Duration CudaStream::busy() const {
  absl::MutexLock lock(&mutex_);
  Harvest();
  return busy_;
}

PerWorkKind<WorkTotals> CudaStream::work() const {
  absl::MutexLock lock(&mutex_);
  Harvest();
  return totals_;
}

}  // namespace hybridserve
