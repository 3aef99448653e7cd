#include "worker/trace/tracing_device.h"

#include <deque>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/status_macros.h"
#include "kernels/ops.h"

namespace hybridserve {
namespace {

const char* TrackName(StreamKind kind) {
  switch (kind) {
    case StreamKind::kCompute:
      return "compute";
    case StreamKind::kCopyIn:
      return "copy in (host to device)";
    case StreamKind::kCopyOut:
      return "copy out (device to host)";
  }
  return "?";
}

std::string SliceName(const WorkTag& tag, const char* op) {
  std::string name(Name(tag.kind));
  if (tag.layer >= 0) absl::StrAppend(&name, " layer ", tag.layer);
  if (tag.mini_batch >= 0) {
    absl::StrAppend(&name, " mini-batch ", tag.mini_batch);
  }
  absl::StrAppend(&name, ": ", op);
  return name;
}

// Waits for pairs of events in their stream's order and notes the times.
class Timekeeper {
 public:
  struct Pending {
    std::string name;
    std::unique_ptr<Event> begin;
    std::unique_ptr<Event> end;
  };

  Timekeeper(TraceWriter& writer, int track, const Clock& clock)
      : writer_(writer),
        track_(track),
        clock_(clock),
        thread_([this] { Loop(); }) {}
  // Waits for all that is pending.
  ~Timekeeper() {
    {
      const absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    thread_.join();
  }

  void Add(Pending pending) {
    const absl::MutexLock lock(&mutex_);
    queue_.push_back(std::move(pending));
  }

 private:
  void Loop() {
    while (true) {
      Pending next;
      {
        const absl::MutexLock lock(&mutex_);
        mutex_.Await(absl::Condition(this, &Timekeeper::Ready));
        if (queue_.empty()) return;
        next = std::move(queue_.front());
        queue_.pop_front();
      }
      // Failed streams complete their events too; who cares learns elsewhere.
      next.begin->Synchronize().IgnoreError();
      const absl::Time begin = clock_.Now();
      next.end->Synchronize().IgnoreError();
      writer_.Add({track_, std::move(next.name), begin, clock_.Now()});
    }
  }
  bool Ready() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !queue_.empty();
  }

  TraceWriter& writer_;
  const int track_;
  const Clock& clock_;
  absl::Mutex mutex_;
  std::deque<Pending> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

class TracingStream final : public Stream {
 public:
  TracingStream(Device& device, std::unique_ptr<Stream> stream,
                TraceWriter& writer, const Clock& clock)
      : device_(device),
        stream_(std::move(stream)),
        timekeeper_(writer, writer.AddTrack(TrackName(stream_->kind())),
                    clock) {}

  absl::Status Copy(absl::Span<const CopyRun> runs) override {
    return Trace("copy", [&] { return stream_->Copy(runs); });
  }
  absl::Status Record(Event& event) override { return stream_->Record(event); }
  absl::Status Wait(Event& event) override { return stream_->Wait(event); }
  absl::Status Synchronize() override { return stream_->Synchronize(); }
  void Begin(const WorkTag& tag) override {
    tag_ = tag;
    stream_->Begin(tag);
  }
  absl::Duration busy() const override { return stream_->busy(); }
  PerWorkKind<WorkTotals> work() const override { return stream_->work(); }
  StreamKind kind() const override { return stream_->kind(); }

  // Queues by `queue`, between two events.
  absl::Status Trace(const char* op, absl::FunctionRef<absl::Status()> queue) {
    Timekeeper::Pending pending = {SliceName(tag_, op), device_.CreateEvent(),
                                   device_.CreateEvent()};
    RETURN_IF_ERROR(stream_->Record(*pending.begin));
    RETURN_IF_ERROR(queue());
    RETURN_IF_ERROR(stream_->Record(*pending.end));
    timekeeper_.Add(std::move(pending));
    return absl::OkStatus();
  }
  Stream& inner() { return *stream_; }

 private:
  Device& device_;
  const std::unique_ptr<Stream> stream_;
  WorkTag tag_;            // Of what is queued next.
  Timekeeper timekeeper_;  // Ends before the stream.
};

class TracingOps final : public Ops {
 public:
  explicit TracingOps(Ops& ops) : ops_(ops) {}

  absl::Status Linear(Stream& stream, const LinearArgs& args) override {
    return Trace("linear", stream, args, &Ops::Linear);
  }
  absl::Status LayerNorm(Stream& stream, const LayerNormArgs& args) override {
    return Trace("layer norm", stream, args, &Ops::LayerNorm);
  }
  absl::Status Convert(Stream& stream, const ConvertArgs& args) override {
    return Trace("convert", stream, args, &Ops::Convert);
  }
  absl::Status Rotary(Stream& stream, const RotaryArgs& args) override {
    return Trace("rotary", stream, args, &Ops::Rotary);
  }
  absl::Status Attention(Stream& stream, const AttentionArgs& args) override {
    return Trace("attention", stream, args, &Ops::Attention);
  }
  absl::Status Sample(Stream& stream, const SampleArgs& args) override {
    return Trace("sample", stream, args, &Ops::Sample);
  }
  absl::Status LogProb(Stream& stream, const LogProbArgs& args) override {
    return Trace("log-prob", stream, args, &Ops::LogProb);
  }

 private:
  template <typename Args>
  absl::Status Trace(const char* name, Stream& stream, const Args& args,
                     absl::Status (Ops::*op)(Stream&, const Args&)) {
    TracingStream& traced = static_cast<TracingStream&>(stream);
    return traced.Trace(name, [&] { return (ops_.*op)(traced.inner(), args); });
  }

  Ops& ops_;
};

class TracingDevice final : public Device {
 public:
  TracingDevice(std::unique_ptr<Device> device, TraceWriter& writer,
                const Clock& clock)
      : device_(std::move(device)),
        ops_(device_->ops()),
        writer_(writer),
        clock_(clock) {}

  const DeviceInfo& info() const override { return device_->info(); }
  absl::StatusOr<std::unique_ptr<Buffer>> Allocate(MemorySpace space,
                                                   int64_t bytes) override {
    return device_->Allocate(space, bytes);
  }
  std::unique_ptr<Stream> CreateStream(StreamKind kind) override {
    return std::make_unique<TracingStream>(
        *device_, device_->CreateStream(kind), writer_, clock_);
  }
  std::unique_ptr<Event> CreateEvent() override {
    return device_->CreateEvent();
  }
  Ops& ops() override { return ops_; }
  const WeightLayout& weight_layout() const override {
    return device_->weight_layout();
  }

 private:
  const std::unique_ptr<Device> device_;
  TracingOps ops_;
  TraceWriter& writer_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Device> MakeTracingDevice(std::unique_ptr<Device> device,
                                          TraceWriter& writer,
                                          const Clock& clock) {
  return std::make_unique<TracingDevice>(std::move(device), writer, clock);
}

}  // namespace hybridserve
