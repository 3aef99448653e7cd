#include "scheduler/rpc/request_recorder.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/testing/fake_clock.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"

namespace hybridserve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What is logged while it lives.
class LogLines final : public google::LogSink {
 public:
  LogLines() { google::AddLogSink(this); }
  ~LogLines() override { google::RemoveLogSink(this); }

  void send(google::LogSeverity, const char*, const char*, int,
            const google::LogMessageTime&, const char* message,
            size_t size) override {
    lines_.emplace_back(message, size);
  }

  std::vector<std::string> lines_;
};

class RequestRecorderTest : public testing::Test {
 protected:
  RequestRecorder NewRecorder(bool log = true) {
    return {{.metrics = metrics_, .clock = clock_, .log_requests = log},
            {.request_id = "r1", .trace_id = "0123"},
            request_};
  }

  std::string Page() const {
    return prometheus::TextSerializer().Serialize(
        metrics_.registry()->Collect());
  }

  RequestMetrics metrics_;
  FakeClock clock_;
  const GenerationRequest request_ = {
      .model = "m", .tenant = "a", .prompt = {1, 2, 3}};
  LogLines log_;
};

TEST_F(RequestRecorderTest, TimesTheTokens) {
  RequestRecorder recorder = NewRecorder();
  clock_.Advance(absl::Seconds(9));
  recorder.OnToken();
  clock_.Advance(absl::Seconds(2));
  recorder.OnToken();
  clock_.Advance(absl::Seconds(5));
  recorder.OnToken();
  EXPECT_EQ(metrics_.prompt_tokens(), 3);
  EXPECT_EQ(metrics_.completion_tokens(), 3);
  EXPECT_THAT(Page(),
              AllOf(HasSubstr("hybridserve_inter_token_latency_seconds_sum{"
                              "model_name=\"m\"} 7\n"),
                    HasSubstr("hybridserve_tenant_prompt_tokens_total{"
                              "tenant=\"a\"} 3\n")));
}

TEST_F(RequestRecorderTest, AScoredPromptIsAPromptThatRan) {
  RequestRecorder recorder = NewRecorder();
  EXPECT_EQ(metrics_.prompt_tokens(), 0);
  recorder.OnScores();
  EXPECT_EQ(metrics_.prompt_tokens(), 3);
}

TEST_F(RequestRecorderTest, LogsOneLineAtTheEnd) {
  RequestRecorder recorder = NewRecorder();
  recorder.OnToken();
  EXPECT_THAT(log_.lines_, IsEmpty());
  recorder.OnFinished(FinishReason::kStop, {.completion_tokens = 1});
  EXPECT_THAT(
      log_.lines_,
      ElementsAre(AllOf(HasSubstr("request finished: request_id=r1 model=m "
                                  "tenant=a"),
                        HasSubstr("finish_reason=stop trace_id=0123"))));
}

TEST_F(RequestRecorderTest, TimesWhatFailed) {
  RequestRecorder recorder = NewRecorder();
  clock_.Advance(absl::Seconds(2));
  recorder.OnToken();
  clock_.Advance(absl::Seconds(1));
  recorder.OnFailed(absl::AbortedError("the prompt was: secret"));
  EXPECT_THAT(
      log_.lines_,
      ElementsAre("request failed: request_id=r1 model=m tenant=a "
                  "prompt_tokens=3 completion_tokens=1 first_token_s=2.000000 "
                  "total_s=3.000000 code=ABORTED trace_id=0123"));
}

TEST_F(RequestRecorderTest, RefusalsAreRecordedToo) {
  const RecordingEnvironment environment = {
      .metrics = metrics_, .clock = clock_, .log_requests = true};
  RecordRefusal(environment, {.request_id = "r2"}, "a",
                absl::ResourceExhaustedError("full"));
  RecordRefusal(environment, {.request_id = "r3"}, std::nullopt,
                absl::UnauthenticatedError("who"));
  EXPECT_THAT(log_.lines_,
              ElementsAre("request refused: request_id=r2 tenant=a "
                          "code=RESOURCE_EXHAUSTED",
                          "request refused: request_id=r3 "
                          "code=UNAUTHENTICATED"));
  EXPECT_EQ(metrics_.rejected(), 2);
}

TEST_F(RequestRecorderTest, LogsNothingUnlessAsked) {
  RequestRecorder finished = NewRecorder(/*log=*/false);
  finished.OnFinished(FinishReason::kStop, {});
  RequestRecorder failed = NewRecorder(/*log=*/false);
  failed.OnFailed(absl::AbortedError(""));
  RecordRefusal({.metrics = metrics_, .clock = clock_}, {.request_id = "r2"},
                "a", absl::ResourceExhaustedError("full"));
  EXPECT_THAT(log_.lines_, IsEmpty());
  EXPECT_THAT(Page(), Not(IsEmpty()));
}

}  // namespace
}  // namespace hybridserve
