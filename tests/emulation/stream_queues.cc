#include "tests/emulation/stream_queues.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "tests/emulation/fault_log.h"

namespace hybridserve::emulation {
namespace {

// Whoever only looks now and then has nothing run.
constexpr int kPatientPolls = 20;

}  // namespace

class StreamQueues::Event {
 public:
  uint64_t records = 0;          // So far.
  uint64_t done = 0;             // Records that were reached.
  int64_t done_at = 0;           // The last of them.
  VectorClock clock;             // What the last record stands for.
  std::weak_ptr<Stream> stream;  // Of the last record.
};

struct StreamQueues::Item {
  enum class Kind { kOperation, kRecord, kWait };
  Kind kind = Kind::kOperation;
  Operation operation = {};
  OperationStamp stamp = {};
  EventPtr event = nullptr;
  uint64_t record = 0;           // Its number.
  StreamPtr recorder = nullptr;  // Of a wait: whose record that is.
};

class StreamQueues::Stream {
 public:
  explicit Stream(size_t number) : number(number) {}

  const size_t number;
  uint64_t operations = 0;  // Queued so far.
  VectorClock clock;        // Done, once all that is queued is.
  std::deque<Item> items;
};

void StreamQueues::SetSeed(uint64_t seed) {
  random_.seed(seed);
  // Lazy, now and then, eager.
  constexpr double kEagerness[] = {0, 0.3, 0.9};
  eagerness_ = kEagerness[seed % 3];
}

StreamQueues::StreamPtr StreamQueues::CreateStream() {
  return std::make_shared<Stream>(num_streams_++);
}

StreamQueues::EventPtr StreamQueues::CreateEvent() {
  return std::make_shared<Event>();
}

void StreamQueues::Push(const StreamPtr& stream, Item item) {
  if (stream->items.empty()) busy_.push_back(stream);
  stream->items.push_back(std::move(item));
  RunSomeAtRandom();
}

void StreamQueues::Enqueue(const StreamPtr& stream, Operation operation) {
  stream->clock.Join(host_);
  OperationStamp stamp = {.stream = stream->number,
                          .count = ++stream->operations,
                          .name = operation.name,
                          .before = stream->clock};
  stream->clock.Raise(stream->number, stamp.count);
  Push(stream, {.kind = Item::Kind::kOperation,
                .operation = std::move(operation),
                .stamp = std::move(stamp)});
}

void StreamQueues::Record(const StreamPtr& stream, const EventPtr& event) {
  stream->clock.Join(host_);
  event->clock = stream->clock;
  event->stream = stream;
  Push(stream, {.kind = Item::Kind::kRecord,
                .event = event,
                .record = ++event->records});
}

void StreamQueues::Wait(const StreamPtr& stream, const EventPtr& event) {
  if (event->records == 0) return;
  stream->clock.Join(event->clock);
  Push(stream, {.kind = Item::Kind::kWait,
                .event = event,
                .record = event->records,
                .recorder = event->stream.lock()});
}

bool StreamQueues::IsReady(const Stream& stream) {
  const Item& first = stream.items.front();
  return first.kind != Item::Kind::kWait || first.event->done >= first.record;
}

void StreamQueues::RunFirst(Stream& stream) {
  CHECK(IsReady(stream));
  const Item item = std::move(stream.items.front());
  stream.items.pop_front();
  if (item.kind == Item::Kind::kRecord) {
    item.event->done = std::max(item.event->done, item.record);
    item.event->done_at = time_;
  } else if (item.kind == Item::Kind::kOperation && !broken_) {
    ++time_;
    std::vector<ByteRange> touched;
    broken_ = !item.operation.run(touched);
    const std::optional<std::string> other = history_.Add(item.stamp, touched);
    if (other.has_value()) {
      AddFault(FaultKind::kUnordered,
               absl::StrCat(item.stamp.name, " and ", *other),
               "touch the same memory, and no event orders them");
    }
  }
  // Last: the stream may be one that nobody else knows.
  if (stream.items.empty()) {
    std::erase_if(busy_, [](const StreamPtr& s) { return s->items.empty(); });
  }
}

void StreamQueues::RunNeeded(Stream& stream) {
  Stream* needed = &stream;
  // A record comes before the waits for it, so that this ends.
  while (!IsReady(*needed)) {
    needed = needed->items.front().recorder.get();
    CHECK(needed != nullptr);
  }
  RunFirst(*needed);
}

void StreamQueues::RunSomeAtRandom() {
  std::bernoulli_distribution again(eagerness_);
  while (!busy_.empty() && again(random_)) {
    std::uniform_int_distribution<size_t> pick(0, busy_.size() - 1);
    Stream& stream = *busy_[pick(random_)];
    if (IsReady(stream)) RunFirst(stream);
  }
}

void StreamQueues::Synchronize(Stream& stream) {
  while (!stream.items.empty()) {
    RunSomeAtRandom();
    if (!stream.items.empty()) RunNeeded(stream);
  }
  host_.Join(stream.clock);
}

void StreamQueues::Synchronize(Event& event) {
  const StreamPtr stream = event.stream.lock();
  while (event.done < event.records) {
    RunSomeAtRandom();
    if (event.done < event.records) RunNeeded(*stream);
  }
  host_.Join(event.clock);
}

void StreamQueues::SynchronizeAll() {
  while (!busy_.empty()) {
    const StreamPtr stream = busy_.front();
    Synchronize(*stream);
  }
}

bool StreamQueues::Query(Event& event) {
  RunSomeAtRandom();
  if (event.done < event.records && ++polls_ > kPatientPolls) {
    polls_ = 0;
    RunNeeded(*event.stream.lock());
  }
  if (event.done < event.records) return false;
  host_.Join(event.clock);
  return true;
}

int64_t StreamQueues::TimeOf(const Event& event) { return event.done_at; }

}  // namespace hybridserve::emulation
