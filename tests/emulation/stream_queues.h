#ifndef HYBRIDSERVE_TESTS_EMULATION_STREAM_QUEUES_H_
#define HYBRIDSERVE_TESTS_EMULATION_STREAM_QUEUES_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/emulation/access_history.h"
#include "tests/emulation/kernel_memory.h"

namespace hybridserve::emulation {

// One operation of a stream.
struct Operation {
  std::string name;
  // Does it, and says what memory it touched. False: the device is broken from
  // here on.
  std::function<bool(std::vector<ByteRange>& touched)> run;
};

// Streams and events of one device. Nothing runs until somebody waits, or until
// chance has it: any order that the events allow may come. What an operation
// touches is held against what others touched (AccessHistory), whatever the
// order was this time. Thread-compatible.
class StreamQueues {
 public:
  class Stream;
  class Event;
  using StreamPtr = std::shared_ptr<Stream>;
  using EventPtr = std::shared_ptr<Event>;

  explicit StreamQueues(uint64_t seed) { SetSeed(seed); }

  // The order of what is to come depends on `seed`: how often something runs
  // that nobody waits for, and what.
  void SetSeed(uint64_t seed);

  StreamPtr CreateStream();
  EventPtr CreateEvent();

  void Enqueue(const StreamPtr& stream, Operation operation);
  void Record(const StreamPtr& stream, const EventPtr& event);
  // For the last record before this call; none: does nothing.
  void Wait(const StreamPtr& stream, const EventPtr& event);

  // Run what is needed, and perhaps more. What is done then is done for all
  // that the host queues later.
  void Synchronize(Stream& stream);
  void Synchronize(Event& event);
  void SynchronizeAll();
  // True if the last record is done. Runs a little in the end, so that polling
  // does.
  bool Query(Event& event);
  // When it was done, in operations of the device; of a recorded event that is.
  static int64_t TimeOf(const Event& event);

  // Bytes that were given back.
  void Forget(uintptr_t begin, uintptr_t end) { history_.Forget(begin, end); }
  // An operation failed; none has run since.
  bool broken() const { return broken_; }

 private:
  struct Item;

  void Push(const StreamPtr& stream, Item item);
  // The first item's event, if any, is done.
  static bool IsReady(const Stream& stream);
  // Runs the first item of a stream that is ready.
  void RunFirst(Stream& stream);
  // Runs the first item of `stream`, or one that it waits for.
  void RunNeeded(Stream& stream);
  // Now and then, items that nobody has asked for.
  void RunSomeAtRandom();

  std::mt19937_64 random_;
  double eagerness_ = 0;         // Probability that one more item runs unasked.
  std::vector<StreamPtr> busy_;  // Streams with items, also given up ones.
  size_t num_streams_ = 0;
  VectorClock host_;  // What the host has seen done.
  AccessHistory history_;
  int64_t time_ = 0;  // Operations so far.
  int polls_ = 0;     // Without an answer, one after the other.
  bool broken_ = false;
};

}  // namespace hybridserve::emulation

#endif  // HYBRIDSERVE_TESTS_EMULATION_STREAM_QUEUES_H_
