#include "tests/emulation/stream_queues.h"

#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/emulation/fault_log.h"

namespace hybridserve::emulation {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class StreamQueuesTest : public ::testing::Test {
 protected:
  StreamQueuesTest() { TakeFaults(); }

  Operation Note(const std::string& name, uintptr_t byte = 0) {
    return {.name = name,
            .run = [this, name, byte](std::vector<ByteRange>& touched) {
              order_ += name;
              if (byte != 0) touched = {{byte, byte + 1, true}};
              return true;
            }};
  }

  std::string order_;
};

TEST_F(StreamQueuesTest, ALazyDeviceDoesWhatIsWaitedForAlone) {
  StreamQueues queues(0);
  const auto a = queues.CreateStream();
  const auto b = queues.CreateStream();
  queues.Enqueue(a, Note("a"));
  queues.Enqueue(b, Note("b"));
  EXPECT_EQ(order_, "");
  queues.Synchronize(*b);
  EXPECT_EQ(order_, "b");
  queues.SynchronizeAll();
  EXPECT_EQ(order_, "ba");
}

TEST_F(StreamQueuesTest, AWaitBringsWhatItWaitsFor) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    order_.clear();
    StreamQueues queues(seed);
    const auto a = queues.CreateStream();
    const auto b = queues.CreateStream();
    const auto event = queues.CreateEvent();
    queues.Wait(b, event);  // Never recorded: nothing to wait for.
    queues.Enqueue(a, Note("a"));
    queues.Record(a, event);
    queues.Wait(b, event);
    queues.Enqueue(b, Note("b"));
    queues.Synchronize(*b);
    EXPECT_EQ(order_, "ab") << seed;
  }
}

TEST_F(StreamQueuesTest, SeedsGiveDifferentOrders) {
  std::set<std::string> orders;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    order_.clear();
    StreamQueues queues(seed);
    const auto a = queues.CreateStream();
    const auto b = queues.CreateStream();
    for (const char* name : {"1", "2"}) queues.Enqueue(a, Note(name));
    for (const char* name : {"3", "4"}) queues.Enqueue(b, Note(name));
    queues.SynchronizeAll();
    orders.insert(order_);
  }
  EXPECT_THAT(orders, SizeIs(6));  // All that keep 12 and 34 in order.
}

TEST_F(StreamQueuesTest, WorkOutlivesItsStreamsHandle) {
  StreamQueues queues(0);
  auto a = queues.CreateStream();
  queues.Enqueue(a, Note("a"));
  a.reset();
  queues.SynchronizeAll();
  EXPECT_EQ(order_, "a");
}

TEST_F(StreamQueuesTest, UnorderedWorkIsAFaultWhateverTheOrderWas) {
  for (uint64_t seed = 0; seed < 9; ++seed) {
    StreamQueues queues(seed);
    const auto a = queues.CreateStream();
    const auto b = queues.CreateStream();
    queues.Enqueue(a, Note("a", 100));
    queues.Enqueue(b, Note("b", 100));
    queues.SynchronizeAll();
    EXPECT_THAT(TakeFaults(), SizeIs(1)) << seed;
  }
}

TEST_F(StreamQueuesTest, TheHostOrdersWhatItWaitsFor) {
  StreamQueues queues(0);
  const auto a = queues.CreateStream();
  const auto b = queues.CreateStream();
  queues.Enqueue(a, Note("a", 100));
  queues.Synchronize(*a);
  queues.Enqueue(b, Note("b", 100));
  queues.SynchronizeAll();
  EXPECT_THAT(TakeFaults(), IsEmpty());
}

TEST_F(StreamQueuesTest, PollingEnds) {
  for (uint64_t seed = 0; seed < 9; ++seed) {
    StreamQueues queues(seed);
    const auto a = queues.CreateStream();
    const auto event = queues.CreateEvent();
    for (int i = 0; i < 5; ++i) queues.Enqueue(a, Note("a"));
    queues.Record(a, event);
    int polls = 0;
    while (!queues.Query(*event)) ASSERT_LT(++polls, 300);
  }
}

TEST_F(StreamQueuesTest, NothingRunsAfterAFailure) {
  StreamQueues queues(0);
  const auto a = queues.CreateStream();
  queues.Enqueue(a, {.name = "fails",
                     .run = [](std::vector<ByteRange>&) { return false; }});
  queues.Enqueue(a, Note("a"));
  queues.Synchronize(*a);
  EXPECT_TRUE(queues.broken());
  EXPECT_EQ(order_, "");
}

}  // namespace
}  // namespace hybridserve::emulation
