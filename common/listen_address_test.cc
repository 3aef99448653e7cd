#include "common/listen_address.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

TEST(ListenAddressTest, SplitsHostAndPort) {
  const ListenAddress address = ParseListenAddress("0.0.0.0:50051").value();
  EXPECT_EQ(address.host, "0.0.0.0");
  EXPECT_EQ(address.port, 50051);
  EXPECT_EQ(ParseListenAddress("[::1]:0")->host, "::1");
}

TEST(ListenAddressTest, KnowsLoopback) {
  for (const char* text :
       {"127.0.0.1:1", "127.8.0.1:1", "localhost:1", "[::1]:1"}) {
    EXPECT_TRUE(ParseListenAddress(text)->is_loopback()) << text;
  }
  for (const char* text : {"0.0.0.0:1", "[::]:1", "example.org:1", "1.2.3.4:1",
                           "localhost.example.org:1", "127.example.org:1",
                           "127.0.0.1.example.org:1"}) {
    EXPECT_FALSE(ParseListenAddress(text)->is_loopback()) << text;
  }
}

TEST(ListenAddressTest, NamesThePortThatWasTaken) {
  EXPECT_EQ(ParseListenAddress("localhost:0")->WithPort(80), "localhost:80");
  EXPECT_EQ(ParseListenAddress("[::1]:0")->WithPort(80), "[::1]:80");
}

TEST(ListenAddressTest, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "50051", ":50051", "host:", "host:x", "host:-1",
                           "host:65536", "host:1:"}) {
    EXPECT_THAT(ParseListenAddress(text),
                StatusIs(StatusCode::kInvalidArgument, HasSubstr("HOST:PORT")))
        << text;
  }
  EXPECT_THAT(ParseListenFlag("listen", "host:x"),
              StatusIs(StatusCode::kInvalidArgument,
                       "--listen: \"host:x\" is not HOST:PORT"));
  EXPECT_EQ(ParseListenFlag("listen", "localhost:1")->port, 1);
}

}  // namespace
}  // namespace hybridserve
