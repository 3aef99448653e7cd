#include "client/openai/http/connection_gate.h"

#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace hybridserve::http {
namespace {

constexpr absl::Duration kLong = absl::Minutes(10);

struct Pair {
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0); }
  ~Pair() {
    close(fds[0]);
    close(fds[1]);
  }
  void Send() { EXPECT_EQ(write(fds[1], "x", 1), 1); }
  int fds[2];
};

TEST(ConnectionGateTest, WaitsForTheFirstByte) {
  ConnectionGate gate(2);
  Pair pair;
  EXPECT_TRUE(gate.Enter(pair.fds[0]));
  EXPECT_FALSE(
      gate.WaitForRequest(pair.fds[0], false, false, absl::Milliseconds(20)));
  EXPECT_TRUE(gate.WaitUntilIdle(absl::ZeroDuration()));
  pair.Send();
  EXPECT_TRUE(gate.WaitForRequest(pair.fds[0], false, false, kLong));
  EXPECT_FALSE(gate.WaitUntilIdle(absl::ZeroDuration()));
  gate.FinishRequest();
  EXPECT_TRUE(gate.WaitUntilIdle(kLong));
  // What is in a buffer is there already.
  EXPECT_TRUE(gate.WaitForRequest(pair.fds[0], true, false, kLong));
  gate.Leave(pair.fds[0]);
}

TEST(ConnectionGateTest, IdleOnesGiveWayToTooMany) {
  ConnectionGate gate(2);
  Pair pairs[3];
  EXPECT_TRUE(gate.Enter(pairs[0].fds[0]));
  absl::Notification gave_way;
  std::thread idle([&] {
    EXPECT_FALSE(gate.WaitForRequest(pairs[0].fds[0], false, false, kLong));
    gave_way.Notify();
    gate.Leave(pairs[0].fds[0]);
  });
  EXPECT_TRUE(gate.Enter(pairs[1].fds[0]));
  gave_way.WaitForNotification();
  idle.join();
  // There is room again, and nobody has to.
  EXPECT_FALSE(gate.WaitForRequest(pairs[1].fds[0], false, false,
                                   absl::Milliseconds(20)));
  EXPECT_TRUE(gate.Enter(pairs[0].fds[0]));
  EXPECT_FALSE(gate.Enter(pairs[2].fds[0]));
}

TEST(ConnectionGateTest, DrainingEndsIdleOnesButNotNewOnes) {
  ConnectionGate gate(9);
  Pair idle;
  Pair fresh;
  gate.Enter(idle.fds[0]);
  gate.Drain();
  gate.Drain();
  EXPECT_TRUE(gate.draining());
  EXPECT_FALSE(gate.WaitForRequest(idle.fds[0], false, false, kLong));
  // One that has asked is served, and one that has just come may ask.
  idle.Send();
  EXPECT_TRUE(gate.WaitForRequest(idle.fds[0], false, false, kLong));
  gate.Enter(fresh.fds[0]);
  std::thread client([&] { fresh.Send(); });
  EXPECT_TRUE(gate.WaitForRequest(fresh.fds[0], false, true, kLong));
  client.join();
}

TEST(ConnectionGateTest, CuttingEndsReads) {
  ConnectionGate gate(9);
  Pair pair;
  gate.Enter(pair.fds[0]);
  gate.CutAll();
  char byte = 0;
  EXPECT_EQ(read(pair.fds[0], &byte, 1), 0);
  EXPECT_EQ(read(pair.fds[1], &byte, 1), 0);
}

}  // namespace
}  // namespace hybridserve::http
