// Over real sockets, with the library's own client and with bytes as they are.

#include "client/openai/http/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "client/openai/http/http_message.h"
#include "common/testing/status_matchers.h"
#include "common/testing/test_certificates.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "httplib.h"

namespace hybridserve::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// A client that sends what it is told to.
class RawClient {
 public:
  explicit RawClient(const std::string& address) {
    sockaddr_in server = {};
    server.sin_family = AF_INET;
    int port = 0;
    EXPECT_TRUE(
        absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
    server.sin_port = htons(static_cast<uint16_t>(port));
    inet_pton(AF_INET, "127.0.0.1", &server.sin_addr);
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(
        connect(fd_, reinterpret_cast<sockaddr*>(&server), sizeof(server)), 0);
  }
  ~RawClient() { Close(); }

  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  void Send(const std::string& text) {
    EXPECT_EQ(send(fd_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // All until the server closes.
  std::string ReadAll() { return ReadUntil("\x01 never"); }
  std::string ReadUntil(const std::string& mark) {
    std::string text;
    char byte = 0;
    while (text.find(mark) == std::string::npos && recv(fd_, &byte, 1, 0) > 0) {
      text += byte;
    }
    return text;
  }

 private:
  int fd_ = -1;
};

constexpr char kGet[] = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    options_.listen = "127.0.0.1:0";
    options_.max_body_bytes = 1000;
    options_.error_body = [](int status, absl::string_view message) {
      return absl::StrCat("{\"error\":", status, ",\"why\":\"", message, "\"}");
    };
  }

  void Start() {
    auto server = HttpServer::Create(
        options_,
        {{.method = "GET",
          .path = "/hello",
          .handler =
              [](const HttpRequest& request) {
                return HttpReply{
                    .headers = {{"X-Seen", request.header("x-me")}},
                    .body = "hi"};
              }},
         {.method = "GET",
          .path = "/name/",
          .handler =
              [](const HttpRequest& request) {
                return HttpReply{.body = request.path};
              }},
         {.method = "POST",
          .path = "/echo",
          .handler =
              [](const HttpRequest& request) {
                return HttpReply{.status = 201, .body = request.body};
              }},
         {.method = "POST",
          .path = "/stream",
          .handler =
              [this](const HttpRequest& request) { return Stream(request); }},
         {.method = "GET",
          .path = "/throw",
          .handler = [](const HttpRequest&) -> HttpReply {
            throw std::string("oops");
          }}});
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
  }

  // "abc", then what is left of the request's body once it may.
  HttpReply Stream(const HttpRequest& request) {
    HttpReply reply;
    reply.content_type = "text/plain";
    std::shared_ptr<HangupWatcher::Watch> watch =
        request.watch_hangup([this] { hung_up_.Notify(); });
    reply.stream = [this, watch, body = request.body](BodyWriter& writer) {
      wrote_ = writer.Write("abc");
      started_.Notify();
      while (!release_.HasBeenNotified() && !hung_up_.HasBeenNotified()) {
        absl::SleepFor(absl::Milliseconds(1));
      }
      wrote_ = writer.Write(body);
      done_.Notify();
    };
    return reply;
  }

  httplib::Client Client() {
    return httplib::Client(absl::StrCat("http://", server_->address()));
  }
  std::string Ask(const std::string& bytes) {
    RawClient client(server_->address());
    client.Send(bytes);
    return client.ReadAll();
  }

  HttpServerOptions options_;
  absl::Notification started_;
  absl::Notification release_;
  absl::Notification hung_up_;
  absl::Notification done_;
  std::atomic<bool> wrote_ = false;
  std::unique_ptr<HttpServer> server_;  // Ends first.
};

TEST_F(HttpServerTest, ServesManyRequestsOnAConnection) {
  Start();
  httplib::Client client = Client();
  client.set_keep_alive(true);
  for (int i = 0; i < 20; ++i) {
    const auto reply = client.Get("/hello", {{"X-Me", "you"}});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, "hi");
    EXPECT_EQ(reply->get_header_value("X-Seen"), "you");
    EXPECT_EQ(reply->get_header_value("Content-Type"), "application/json");
    const auto posted = client.Post("/echo", std::string(900, 'x'), "a/b");
    ASSERT_TRUE(posted);
    EXPECT_EQ(posted->status, 201);
    EXPECT_EQ(posted->body.size(), 900U);
  }
  EXPECT_EQ(client.Get("/name/a%20b/c")->body, "/name/a b/c");
  EXPECT_EQ(client.Head("/hello")->status, 200);
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  Start();
  const std::string replies =
      Ask("POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
          "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
          "2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"
          "GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n");
  const size_t first = replies.find("\r\n\r\nabc");
  const size_t second = replies.find("\r\n\r\ndef");
  const size_t third = replies.find("\r\n\r\nhi");
  ASSERT_NE(third, std::string::npos) << replies;
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
}

TEST_F(HttpServerTest, UnknownPathsAndMethods) {
  Start();
  httplib::Client client = Client();
  EXPECT_EQ(client.Get("/nothing")->status, 404);
  EXPECT_THAT(client.Get("/nothing")->body, StartsWith("{\"error\":404"));
  EXPECT_EQ(client.Get("/name/")->status, 404);
  EXPECT_EQ(client.Get("/echo")->status, 405);
  EXPECT_EQ(client.Post("/hello", "x", "a/b")->status, 405);
  EXPECT_EQ(client.Delete("/hello")->status, 405);
  EXPECT_EQ(client.Get("/throw")->status, 500);
}

TEST_F(HttpServerTest, BodiesAreBoundedHoweverTheyCome) {
  Start();
  const std::string large(1001, 'x');
  EXPECT_EQ(Client().Post("/echo", large, "a/b")->status, 413);
  EXPECT_EQ(Client().Post("/echo", large.substr(1), "a/b")->status, 201);
  const std::string chunked = Ask(absl::StrCat(
      "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", large,
      "\r\n0\r\n\r\n"));
  EXPECT_THAT(chunked, AllOf(StartsWith("HTTP/1.1 413"),
                             HasSubstr("Connection: close")));
  // It is refused before the client sends any of it.
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nContent-Length: 1001\r\n"
                  "Expect: 100-continue\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 413"), HasSubstr("Content-Length")));
}

TEST_F(HttpServerTest, ABadRequestEndsItsConnection) {
  Start();
  for (const std::string bytes :
       {"NONSENSE\r\n\r\n", "GET /hello HTTP/3.0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /hello HTTP/1.1\r\nRange: bytes=x\r\n\r\n",
        "GET /hello HTTP/1.1\r\nContent-Length: 5\n\r\n",
        "GET /hello HTTP/1.1\r\nContent-Length : 5\r\n\r\n"}) {
    SCOPED_TRACE(bytes);
    // What follows is not taken for another request.
    const std::string reply = Ask(bytes + kGet);
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 4"));
    EXPECT_THAT(reply, HasSubstr("\r\n\r\n{\"error\":4"));
    EXPECT_THAT(reply, HasSubstr("Connection: close"));
    EXPECT_THAT(reply, Not(HasSubstr("200 OK")));
  }
}

TEST_F(HttpServerTest, ABodyThatNobodyReadEndsItsConnection) {
  Start();
  const std::string reply =
      Ask(std::string("GET /hello HTTP/1.1\r\nContent-Length: ") +
          std::to_string(sizeof(kGet) - 1) + "\r\n\r\n" + kGet);
  EXPECT_THAT(reply, HasSubstr("Connection: close"));
  EXPECT_EQ(reply.find("200 OK"), reply.rfind("200 OK"));
}

TEST_F(HttpServerTest, HeadsAreDueAndBounded) {
  options_.head_timeout = absl::Milliseconds(300);
  options_.max_head_bytes = 4096;
  Start();
  EXPECT_THAT(Ask("GET /hello HTTP/1.1\r\nX-Slow: "),
              StartsWith("HTTP/1.1 408"));
  EXPECT_THAT(Ask("GET /hello HTTP/1.1\r\nX-Much: " + std::string(5000, 'x')),
              StartsWith("HTTP/1.1 431"));
  // Silence is answered by it.
  RawClient silent(server_->address());
  EXPECT_THAT(silent.ReadAll(), IsEmpty());
}

TEST_F(HttpServerTest, BodiesAreDue) {
  options_.body_timeout = absl::Milliseconds(300);
  Start();
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc"),
              StartsWith("HTTP/1.1 408"));
}

TEST_F(HttpServerTest, IdleConnectionsEnd) {
  options_.idle_timeout = absl::Milliseconds(100);
  Start();
  EXPECT_THAT(Ask(kGet), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, StreamsAreChunksAsTheyCome) {
  Start();
  RawClient client(server_->address());
  client.Send("POST /stream HTTP/1.1\r\nContent-Length: 3\r\n\r\ndef");
  const std::string begin = client.ReadUntil("abc\r\n");
  EXPECT_THAT(begin, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(begin, HasSubstr("\r\n\r\n3\r\nabc\r\n"));
  release_.Notify();
  EXPECT_EQ(client.ReadUntil("0\r\n\r\n"), "3\r\ndef\r\n0\r\n\r\n");
  // The connection goes on.
  client.Send(kGet);
  EXPECT_THAT(client.ReadUntil("hi"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, OldClientsGetStreamsWithoutChunks) {
  Start();
  release_.Notify();
  const std::string reply =
      Ask("POST /stream HTTP/1.0\r\nContent-Length: 3\r\n\r\ndef");
  EXPECT_THAT(reply, HasSubstr("\r\n\r\nabcdef"));
  EXPECT_THAT(reply, Not(HasSubstr("chunked")));
}

TEST_F(HttpServerTest, AClientThatHangsUpIsNoticedAtOnce) {
  Start();
  RawClient client(server_->address());
  client.Send("POST /stream HTTP/1.1\r\nContent-Length: 3\r\n\r\ndef");
  client.ReadUntil("abc\r\n");
  client.Close();
  hung_up_.WaitForNotification();
  done_.WaitForNotification();
  EXPECT_TRUE(server_->WaitUntilIdle(absl::InfiniteDuration()));
}

TEST_F(HttpServerTest, TooManyConnectionsAreRefused) {
  options_.max_connections = 1;
  Start();
  RawClient busy(server_->address());
  busy.Send("POST /stream HTTP/1.1\r\nContent-Length: 3\r\n\r\ndef");
  started_.WaitForNotification();
  const std::string refused = Ask(kGet);
  EXPECT_THAT(refused,
              AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After: 1"),
                    HasSubstr("{\"error\":503")));
  release_.Notify();
  EXPECT_THAT(busy.ReadUntil("0\r\n\r\n"), HasSubstr("def"));
  // An idle one gives way, sooner or later.
  std::string reply;
  while (reply.find("200 OK") == std::string::npos) {
    RawClient next(server_->address());
    next.Send(kGet);
    reply = next.ReadUntil("}");
    if (reply.find("503") == std::string::npos) break;
  }
  EXPECT_THAT(reply, HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, DrainingFinishesWhatIsUnderWay) {
  Start();
  RawClient idle(server_->address());
  idle.Send(kGet);
  idle.ReadUntil("hi");
  RawClient busy(server_->address());
  busy.Send("POST /stream HTTP/1.1\r\nContent-Length: 3\r\n\r\ndef");
  started_.WaitForNotification();
  server_->Drain();
  EXPECT_FALSE(server_->WaitUntilIdle(absl::ZeroDuration()));
  EXPECT_THAT(idle.ReadAll(), IsEmpty());
  // New ones are still told how things are.
  EXPECT_THAT(Ask(kGet), AllOf(StartsWith("HTTP/1.1 200"),
                               HasSubstr("Connection: close")));
  release_.Notify();
  EXPECT_THAT(busy.ReadAll(), HasSubstr("3\r\ndef\r\n0\r\n\r\n"));
  EXPECT_TRUE(server_->WaitUntilIdle(absl::InfiniteDuration()));
}

TEST_F(HttpServerTest, TheEndCutsWhatIsUnderWay) {
  Start();
  RawClient busy(server_->address());
  busy.Send("POST /stream HTTP/1.1\r\nContent-Length: 3\r\n\r\ndef");
  started_.WaitForNotification();
  RawClient silent(server_->address());
  server_.reset();
  EXPECT_TRUE(hung_up_.HasBeenNotified());
  EXPECT_THAT(busy.ReadAll(), Not(HasSubstr("def")));
}

TEST_F(HttpServerTest, HttpsOnly) {
  const std::string path = testing::TempDir() + "/http_server";
  options_.tls = WriteTestCertificate(path);
  options_.listen = "0.0.0.0:0";
  Start();
  const std::string port =
      server_->address().substr(server_->address().rfind(':') + 1);
  httplib::Client client("https://127.0.0.1:" + port);
  client.set_ca_cert_path((path + ".crt").c_str());
  client.enable_server_certificate_verification(true);
  client.set_keep_alive(true);
  for (int i = 0; i < 3; ++i) {
    const auto reply = client.Post("/echo", std::string(1000, 'x'), "a/b");
    ASSERT_TRUE(reply) << httplib::to_string(reply.error());
    EXPECT_EQ(reply->body.size(), 1000U);
  }
  EXPECT_FALSE(httplib::Client("http://127.0.0.1:" + port).Get("/hello"));
  httplib::Client stranger("https://127.0.0.1:" + port);
  stranger.enable_server_certificate_verification(true);
  EXPECT_FALSE(stranger.Get("/hello"));
}

TEST_F(HttpServerTest, BadOptionsNameTheirFlag) {
  const auto create = [this] {
    return HttpServer::Create(options_, {}).status();
  };
  const auto is_wrong = [](const char* text) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text));
  };
  options_.listen = "nowhere";
  EXPECT_THAT(create(), is_wrong("--listen: \"nowhere\""));
  options_.listen = "0.0.0.0:0";
  EXPECT_THAT(create(), is_wrong("--listen: 0.0.0.0:0 is open to the network"));
  options_.insecure = true;
  EXPECT_THAT(create(), IsOk());
  options_.tls.certificate_file = "/does/not/exist";
  EXPECT_THAT(create(), is_wrong("--https_"));
  options_.tls = {.ca_file = "/does/not/exist"};
  EXPECT_THAT(create(), is_wrong("--https_certificate: is missing"));
  options_.tls = {};
  Start();
  options_.listen = server_->address();
  EXPECT_THAT(create(), StatusIs(absl::StatusCode::kUnavailable,
                                 HasSubstr("--listen: cannot listen on")));
}

}  // namespace
}  // namespace hybridserve::http
