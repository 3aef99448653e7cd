// What a request leaves behind besides its answer: its name in the response's
// metadata, a line in the log, counts. Over real sockets.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/grpc_status.h"
#include "common/testing/status_matchers.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/string_ref.h"
#include "gtest/gtest.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"
#include "scheduler/testing/server_harness.h"

namespace hybridserve {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kTraceparent[] =
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

// What is logged of requests while it lives. Thread-safe.
class RequestLines final : public google::LogSink {
 public:
  RequestLines() { google::AddLogSink(this); }
  ~RequestLines() override { google::RemoveLogSink(this); }

  void send(google::LogSeverity, const char*, const char*, int,
            const google::LogMessageTime&, const char* message,
            size_t size) override {
    std::string line(message, size);
    absl::MutexLock lock(&mutex_);
    if (line.rfind("request ", 0) == 0) lines_.push_back(std::move(line));
    all_.append(message, size);
  }

  std::vector<std::string> lines() const {
    absl::MutexLock lock(&mutex_);
    return lines_;
  }
  // Everything, whatever it is about.
  std::string all() const {
    absl::MutexLock lock(&mutex_);
    return all_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
  std::string all_ ABSL_GUARDED_BY(mutex_);
};

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

std::string RequestIdOf(const Metadata& metadata) {
  const auto it = metadata.find("x-request-id");
  return it == metadata.end()
             ? ""
             : std::string(it->second.data(), it->second.size());
}

std::string RequestIdOf(const grpc::ClientContext& context) {
  return RequestIdOf(context.GetServerInitialMetadata());
}

std::string RefusedIdOf(const grpc::ClientContext& context) {
  // A client takes what comes first for the beginning of a response, and does
  // not retry.
  EXPECT_THAT(context.GetServerInitialMetadata(), IsEmpty());
  return RequestIdOf(context.GetServerTrailingMetadata());
}

class RequestTrailTest : public ServerTest {
 protected:
  void SetUp() override {
    SchedulerServerOptions options = LoopbackOptions();
    options.log_requests = true;
    StartServer(std::move(options));
    StartWorker();
  }

  absl::Status Generate(grpc::ClientContext& context,
                        const std::string& request_id = "",
                        const std::string& prompt = "abc",
                        const std::string& model = "") {
    v1::GenerateRequest request;
    request.set_request_id(request_id);
    request.set_prompt(prompt);
    request.set_model(model);
    request.mutable_stopping()->set_max_tokens(5);
    v1::GenerateResponse response;
    return FromGrpcStatus(inference_->Generate(&context, request, &response));
  }

  RequestLines log_;
};

TEST_F(RequestTrailTest, TheResponseNamesTheRequest) {
  grpc::ClientContext given;
  ASSERT_THAT(Generate(given, "mine"), IsOk());
  EXPECT_EQ(RequestIdOf(given), "mine");

  grpc::ClientContext made;
  ASSERT_THAT(Generate(made), IsOk());
  EXPECT_THAT(RequestIdOf(made), MatchesRegex("hs-[0-9a-f]{16}"));

  grpc::ClientContext proxied;
  proxied.AddMetadata("x-request-id", "proxy-1");
  ASSERT_THAT(Generate(proxied), IsOk());
  EXPECT_THAT(RequestIdOf(proxied), MatchesRegex("proxy-1-[0-9a-f]{16}"));
}

TEST_F(RequestTrailTest, StreamsAndScoresAreNamedToo) {
  grpc::ClientContext stream_context;
  v1::GenerateStreamRequest stream_request;
  stream_request.set_prompt("abc");
  stream_request.mutable_stopping()->set_max_tokens(2);
  const auto reader =
      inference_->GenerateStream(&stream_context, stream_request);
  v1::GenerateStreamResponse event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(RequestIdOf(stream_context), event.request_id());
  while (reader->Read(&event)) {
  }
  EXPECT_TRUE(reader->Finish().ok());

  grpc::ClientContext score_context;
  v1::ScoreRequest score_request;
  score_request.set_text("abc");
  v1::ScoreResponse score;
  ASSERT_TRUE(inference_->Score(&score_context, score_request, &score).ok());
  EXPECT_EQ(RequestIdOf(score_context), score.request_id());
}

TEST_F(RequestTrailTest, OneLineWhenItIsDone) {
  grpc::ClientContext context;
  context.AddMetadata("traceparent", kTraceparent);
  ASSERT_THAT(Generate(context, "mine"), IsOk());
  EXPECT_THAT(
      log_.lines(),
      ElementsAre(AllOf(
          StartsWith("request finished: request_id=mine model=bytes "
                     "prompt_tokens=4 completion_tokens=5 queue_s="),
          HasSubstr(" first_token_s="), HasSubstr(" total_s="),
          HasSubstr(" finish_reason=length trace_id="), HasSubstr(kTraceId))));
}

TEST_F(RequestTrailTest, ABadTraceparentIsIgnored) {
  grpc::ClientContext context;
  context.AddMetadata("traceparent", "00-nonsense-01");
  ASSERT_THAT(Generate(context), IsOk());
  EXPECT_THAT(log_.lines(), ElementsAre(Not(HasSubstr("trace_id"))));
}

TEST_F(RequestTrailTest, RefusalsAreNamedAndLogged) {
  grpc::ClientContext context;
  EXPECT_THAT(Generate(context, "mine", "abc", "no-such-model"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(RefusedIdOf(context), "mine");
  // What is no id is not echoed.
  grpc::ClientContext bad;
  EXPECT_THAT(Generate(bad, "a b"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(RefusedIdOf(bad), MatchesRegex("hs-[0-9a-f]{16}"));
  EXPECT_THAT(
      log_.lines(),
      ElementsAre("request refused: request_id=mine code=NOT_FOUND",
                  MatchesRegex("request refused: request_id=hs-[0-9a-f]{16} "
                               "code=INVALID_ARGUMENT")));
}

TEST_F(RequestTrailTest, RefusedStreamsAndScoresAreNamedToo) {
  grpc::ClientContext stream_context;
  v1::GenerateStreamRequest stream_request;
  stream_request.set_request_id("stream");
  EXPECT_FALSE(inference_->GenerateStream(&stream_context, stream_request)
                   ->Finish()
                   .ok());
  EXPECT_EQ(RefusedIdOf(stream_context), "stream");

  grpc::ClientContext score_context;
  v1::ScoreRequest score_request;
  score_request.set_request_id("score");
  v1::ScoreResponse score;
  EXPECT_FALSE(inference_->Score(&score_context, score_request, &score).ok());
  EXPECT_EQ(RefusedIdOf(score_context), "score");
}

TEST_F(RequestTrailTest, WhatTheCoreRefusesIsRefused) {
  grpc::ClientContext context;
  EXPECT_THAT(Generate(context, "mine", std::string(500, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(RefusedIdOf(context), "mine");
  EXPECT_THAT(log_.lines(), ElementsAre("request refused: request_id=mine "
                                        "code=INVALID_ARGUMENT"));
}

TEST_F(RequestTrailTest, FailuresAreLoggedWithTheirCode) {
  worker_->Pause();
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(1)));
  EXPECT_THAT(Generate(context, "late"),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  worker_->Resume();
  ASSERT_TRUE(server_->WaitUntilIdle(absl::InfiniteFuture()));
  // By the core's own clock, or by the client's call that went away.
  EXPECT_THAT(log_.lines(),
              ElementsAre(AllOf(HasSubstr(" request_id=late model=bytes "
                                          "prompt_tokens=4 "),
                                HasSubstr(" total_s="))));
}

TEST_F(RequestTrailTest, TextIsNeverLogged) {
  grpc::ClientContext context;
  ASSERT_THAT(Generate(context, "", "the secret prompt"), IsOk());
  grpc::ClientContext refused;
  EXPECT_THAT(Generate(refused, "", "the secret prompt \xff"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(log_.lines(), Contains(HasSubstr("request finished")));
  EXPECT_THAT(log_.all(), Not(HasSubstr("secret")));
  EXPECT_THAT(log_.all(), Not(HasSubstr("the q")));  // The worker's script.
}

TEST_F(RequestTrailTest, NothingIsLoggedUnlessAsked) {
  StartServer(LoopbackOptions());
  StartWorker();
  grpc::ClientContext context;
  ASSERT_THAT(Generate(context, "mine"), IsOk());
  EXPECT_EQ(RequestIdOf(context), "mine");
  EXPECT_THAT(log_.lines(), IsEmpty());
}

}  // namespace
}  // namespace hybridserve
