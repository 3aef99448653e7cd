#include "client/openai/http/http_stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>

#include "common/clock.h"
#include "gtest/gtest.h"

namespace hybridserve::http {
namespace {

using Failure = HttpStream::Failure;

absl::Time In(absl::Duration duration) {
  return SystemClock().Now() + duration;
}

// The server's end of a pair of sockets, and the client's.
class HttpStreamTest : public testing::Test {
 protected:
  HttpStreamTest() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    server_ = fds[0];
    client_ = fds[1];
  }
  ~HttpStreamTest() override {
    close(server_);
    if (client_ >= 0) close(client_);
  }

  void Send(const std::string& text) {
    ASSERT_EQ(send(client_, text.data(), text.size(), 0),
              static_cast<ssize_t>(text.size()));
  }
  void CloseClient() {
    close(client_);
    client_ = -1;
  }
  static std::string ReadAll(HttpStream& stream) {
    std::string text;
    char byte = 0;
    while (stream.read(&byte, 1) == 1) text += byte;
    return text;
  }

  int server_;
  int client_;
};

TEST_F(HttpStreamTest, ReadsUntilTheClientCloses) {
  HttpStream stream(server_, nullptr, {});
  EXPECT_FALSE(stream.has_buffered());
  stream.BeginHead(In(absl::Minutes(1)));
  Send("hello");
  char bytes[2];
  EXPECT_EQ(stream.read(bytes, 2), 2);
  EXPECT_TRUE(stream.has_buffered());
  CloseClient();
  EXPECT_EQ(ReadAll(stream), "llo");
  EXPECT_EQ(stream.failure(), Failure::kClosed);
}

TEST_F(HttpStreamTest, AHeadIsDueWholeHoweverSteadilyItDrips) {
  HttpStream stream(server_, nullptr, {});
  stream.BeginHead(In(absl::Milliseconds(200)));
  std::thread client([&] {
    // Ends when the server's end is shut.
    while (send(client_, "x", 1, MSG_NOSIGNAL) == 1) {
      usleep(1000);
    }
  });
  const std::string text = ReadAll(stream);
  EXPECT_EQ(stream.failure(), Failure::kTimeout);
  EXPECT_FALSE(text.empty());
  shutdown(server_, SHUT_RDWR);
  client.join();
}

TEST_F(HttpStreamTest, AHeadIsBoundedAndABodyIsNot) {
  HttpStream stream(server_, nullptr, {.max_head_bytes = 10});
  stream.BeginHead(In(absl::Minutes(1)));
  Send(std::string(30, 'x'));
  EXPECT_EQ(ReadAll(stream), std::string(10, 'x'));
  EXPECT_EQ(stream.failure(), Failure::kTooLarge);
  stream.BeginBody(In(absl::Milliseconds(10)));
  EXPECT_EQ(ReadAll(stream), std::string(20, 'x'));
  EXPECT_EQ(stream.failure(), Failure::kTimeout);
}

TEST_F(HttpStreamTest, LinesOfAHeadEndAsTheyShould) {
  HttpStream stream(server_, nullptr, {});
  stream.BeginHead(In(absl::Minutes(1)));
  Send("a\r\nb\nc\r\n");
  EXPECT_EQ(ReadAll(stream), "a\r\nb");
  EXPECT_EQ(stream.failure(), Failure::kMalformed);
}

TEST_F(HttpStreamTest, WritesAllOrNothingWorksAnyMore) {
  HttpStream stream(server_, nullptr,
                    {.write_timeout = absl::Milliseconds(50)});
  EXPECT_TRUE(stream.is_writable());
  EXPECT_EQ(stream.write("hello", 5), 5);
  char bytes[5];
  EXPECT_EQ(recv(client_, bytes, 5, MSG_WAITALL), 5);
  EXPECT_EQ(std::string(bytes, 5), "hello");
  // More than fits between the two, and nobody takes it.
  const std::string much(16 << 20, 'x');
  EXPECT_EQ(stream.write(much.data(), much.size()), -1);
  CloseClient();
  EXPECT_FALSE(stream.is_writable());
  EXPECT_EQ(stream.write("x", 1), -1);
}

TEST_F(HttpStreamTest, ASlowReaderGetsAll) {
  HttpStream stream(server_, nullptr, {});
  const std::string much(4 << 20, 'x');
  std::string received;
  std::thread client([&] {
    char bytes[4096];
    while (received.size() < much.size()) {
      const ssize_t count = recv(client_, bytes, sizeof(bytes), 0);
      if (count <= 0) break;
      received.append(bytes, static_cast<size_t>(count));
    }
  });
  EXPECT_EQ(stream.write(much.data(), much.size()),
            static_cast<ssize_t>(much.size()));
  client.join();
  EXPECT_EQ(received, much);
}

TEST_F(HttpStreamTest, FinishingLetsAClientThatSendsReadTheReply) {
  HttpStream stream(server_, nullptr, {});
  std::string reply;
  std::thread client([&] {
    const std::string body(8 << 20, 'x');
    EXPECT_EQ(send(client_, body.data(), body.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(body.size()));
    shutdown(client_, SHUT_WR);
    char bytes[100];
    ssize_t count = 0;
    while ((count = recv(client_, bytes, sizeof(bytes), 0)) > 0) {
      reply.append(bytes, static_cast<size_t>(count));
    }
  });
  EXPECT_EQ(stream.write("no", 2), 2);
  stream.Finish(true);
  client.join();
  EXPECT_EQ(reply, "no");
}

}  // namespace
}  // namespace hybridserve::http
