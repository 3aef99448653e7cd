#include "client/batch/batch_runner.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/interrupt.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"
#include "nlohmann/json.hpp"

namespace hybridserve {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// Answers a line, which is known by its first token id, with the statuses that
// it is told, the last one for ever; without any with OK.
class ScriptedService final : public v1::InferenceService::Service {
 public:
  void Script(uint32_t id, std::deque<absl::Status> statuses) {
    absl::MutexLock lock(&mutex_);
    scripts_[id] = std::move(statuses);
  }

  grpc::Status Generate(grpc::ServerContext*,
                        const v1::GenerateRequest* request,
                        v1::GenerateResponse* response) override {
    const uint32_t id = request->token_ids().ids(0);
    {
      absl::MutexLock lock(&mutex_);
      attempts_[id].push_back(absl::Now());
      most_in_flight_ = std::max(most_in_flight_, ++in_flight_);
    }
    absl::SleepFor(SleepOf(id));
    absl::MutexLock lock(&mutex_);
    --in_flight_;
    response->add_token_ids(id + 1);
    response->set_text(absl::StrCat("text ", id));
    response->set_finish_reason(v1::FINISH_REASON_LENGTH);
    std::deque<absl::Status>& script = scripts_[id];
    if (script.empty()) return grpc::Status::OK;
    const absl::Status status = script.front();
    if (script.size() > 1) script.pop_front();
    return ToGrpcStatus(status);
  }

  // Each answer to that line takes so long.
  void SleepOn(uint32_t id, absl::Duration duration) {
    absl::MutexLock lock(&mutex_);
    sleeps_[id] = duration;
  }

  std::vector<absl::Time> attempts(uint32_t id) {
    absl::MutexLock lock(&mutex_);
    return attempts_[id];
  }
  int64_t most_in_flight() {
    absl::MutexLock lock(&mutex_);
    return most_in_flight_;
  }

 private:
  absl::Duration SleepOf(uint32_t id) {
    absl::MutexLock lock(&mutex_);
    const auto it = sleeps_.find(id);
    return it == sleeps_.end() ? absl::Milliseconds(10) : it->second;
  }

  absl::Mutex mutex_;
  std::map<uint32_t, absl::Duration> sleeps_ ABSL_GUARDED_BY(mutex_);
  std::map<uint32_t, std::deque<absl::Status>> scripts_ ABSL_GUARDED_BY(mutex_);
  std::map<uint32_t, std::vector<absl::Time>> attempts_ ABSL_GUARDED_BY(mutex_);
  int64_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t most_in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
};

absl::Duration ThreadCpuTime() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

class BatchRunnerTest : public testing::Test {
 protected:
  BatchRunnerTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    const std::string folder = testing::TempDir();
    options_.input = absl::StrCat(folder, "/in");
    options_.output_file = absl::StrCat(folder, "/out");
    for (const char* end : {"", ".partial", ".errors"}) {
      (void)std::remove(absl::StrCat(options_.output_file, end).c_str());
    }
    options_.window = 4;
  }
  ~BatchRunnerTest() override { server_->Shutdown(); }

  // Line n has token id n.
  void WriteLines(int64_t count) {
    std::ofstream file(options_.input, std::ios::trunc);
    for (int64_t line = 1; line <= count; ++line) {
      file << "{\"id\":" << line << ",\"token_ids\":[" << line << "]}\n";
    }
  }

  absl::StatusOr<BatchSummary> Run() {
    std::ostringstream progress;
    return RunBatch(options_, server_->InProcessChannel({}), interrupt_,
                    progress, false);
  }

  // Results by line; each line has one.
  std::map<int64_t, nlohmann::json> Results(const std::string& end = "") {
    std::map<int64_t, nlohmann::json> results;
    std::ifstream file(options_.output_file + end);
    std::string text;
    while (std::getline(file, text)) {
      const nlohmann::json result = nlohmann::json::parse(text);
      const bool added = results.emplace(result["line"], result).second;
      EXPECT_TRUE(added) << text;
    }
    return results;
  }

  Interrupt interrupt_;
  ScriptedService service_;
  std::unique_ptr<grpc::Server> server_;
  BatchOptions options_;
};

TEST_F(BatchRunnerTest, GivesEveryLineItsResultWithinTheWindow) {
  WriteLines(40);
  const auto summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->lines, 40);
  EXPECT_EQ(summary->errors, 0);
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(40));
  for (const auto& [line, result] : results) {
    EXPECT_EQ(result["id"], line);
    EXPECT_EQ(result["text"], absl::StrCat("text ", line));
    EXPECT_EQ(result["token_ids"], nlohmann::json::array({line + 1}));
  }
  EXPECT_EQ(service_.most_in_flight(), options_.window);
}

TEST_F(BatchRunnerTest, TriesAgainWhatMaySucceedLater) {
  WriteLines(4);
  service_.Script(1, {absl::UnavailableError("gone"),
                      absl::UnavailableError("gone"), absl::OkStatus()});
  service_.Script(2, {WithRetryDelay(absl::ResourceExhaustedError("full"),
                                     absl::Milliseconds(10)),
                      absl::OkStatus()});
  service_.Script(3, {absl::AbortedError("lost"), absl::OkStatus()});
  const auto summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->errors, 0);
  EXPECT_THAT(Results(), SizeIs(4));
  EXPECT_THAT(service_.attempts(1), SizeIs(3));
  EXPECT_THAT(service_.attempts(2), SizeIs(2));
  EXPECT_THAT(service_.attempts(3), SizeIs(2));
  EXPECT_THAT(service_.attempts(4), SizeIs(1));
}

TEST_F(BatchRunnerTest, WhatCannotSucceedIsTheLinesError) {
  WriteLines(4);
  service_.Script(1, {absl::InvalidArgumentError("too long")});
  service_.Script(3, {absl::InternalError("the device failed")});
  // Without RetryInfo: the message is too large, and stays so.
  service_.Script(4, {absl::ResourceExhaustedError("too large")});
  const auto summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->errors, 3);
  auto results = Results();
  ASSERT_THAT(results, SizeIs(4));
  EXPECT_EQ(results[1]["error"]["code"], "INVALID_ARGUMENT");
  EXPECT_EQ(results[1]["error"]["message"], "too long");
  EXPECT_FALSE(results[2].contains("error"));
  EXPECT_EQ(results[3]["error"]["code"], "INTERNAL");
  EXPECT_EQ(results[4]["error"]["code"], "RESOURCE_EXHAUSTED");
  EXPECT_THAT(Results(".errors"), SizeIs(3));
  EXPECT_THAT(service_.attempts(1), SizeIs(1));
  EXPECT_THAT(service_.attempts(4), SizeIs(1));
}

TEST_F(BatchRunnerTest, SleepsAsLongAsTheServerAsks) {
  WriteLines(1);
  service_.Script(1, {WithRetryDelay(absl::ResourceExhaustedError("full"),
                                     absl::Seconds(2)),
                      absl::OkStatus()});
  const absl::Duration before = ThreadCpuTime();
  ASSERT_THAT(Run(), IsOk());
  EXPECT_LT(ThreadCpuTime() - before, absl::Milliseconds(500));
  const auto attempts = service_.attempts(1);
  ASSERT_THAT(attempts, SizeIs(2));
  EXPECT_GE(attempts[1] - attempts[0], absl::Seconds(2));
}

// As after a scheduler's restart: a worker has yet to bring the model.
TEST_F(BatchRunnerTest, WaitsForAModelThatIsNotThereYet) {
  WriteLines(1);
  service_.Script(1, {absl::NotFoundError("no model"),
                      absl::NotFoundError("no model"), absl::OkStatus()});
  const auto summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->errors, 0);
  EXPECT_THAT(service_.attempts(1), SizeIs(3));
}

TEST_F(BatchRunnerTest, AModelThatDoesNotComeIsTheLinesError) {
  WriteLines(2);
  options_.wait_for_model = absl::Seconds(1);
  service_.Script(1, {absl::NotFoundError("no model")});
  const auto summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->errors, 1);
  EXPECT_EQ(Results()[1]["error"]["code"], "NOT_FOUND");
  EXPECT_THAT(service_.attempts(1), SizeIs(testing::Ge(3)));
}

// Line 2's NOT_FOUND comes 2 s after the start, and 0.5 s after line 1's end.
TEST_F(BatchRunnerTest, AModelIsWaitedForAgainAfterARestart) {
  options_.wait_for_model = absl::Seconds(1);
  service_.SleepOn(1, absl::Seconds(1.5));
  service_.SleepOn(2, absl::Seconds(2));
  for (const absl::Status& sign :
       {absl::UnavailableError("gone"), absl::OkStatus()}) {
    SCOPED_TRACE(sign.ToString());
    const std::string model = sign.ok() ? "b" : "a";
    std::ofstream(options_.input)
        << R"({"token_ids":[1],"model":")" << model << "\"}\n"
        << R"({"token_ids":[2],"model":"b"})";
    service_.Script(1, {sign, absl::OkStatus()});
    service_.Script(2, {absl::NotFoundError("no model"), absl::OkStatus()});
    const auto summary = Run();
    ASSERT_THAT(summary, IsOk());
    EXPECT_EQ(summary->errors, 0);
    (void)std::remove(options_.output_file.c_str());
  }
}

// Without a limit it would lose worker after worker, for ever.
TEST_F(BatchRunnerTest, ALineThatAbortsAgainAndAgainIsAnError) {
  WriteLines(2);
  service_.Script(1, {absl::AbortedError("9 workers were lost")});
  const auto summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->errors, 1);
  auto results = Results();
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[1]["error"]["code"], "ABORTED");
  EXPECT_THAT(service_.attempts(1), SizeIs(5));
}

TEST_F(BatchRunnerTest, GivesUpOnAServerThatTakesNothingAndGoesOnLater) {
  WriteLines(6);
  options_.window = 2;
  options_.give_up_after = absl::Seconds(1);
  for (uint32_t id = 3; id <= 6; ++id) {
    service_.Script(id, {absl::UnavailableError("no worker")});
  }
  const absl::Status given_up = Run().status();
  EXPECT_TRUE(absl::IsUnavailable(given_up)) << given_up;
  EXPECT_THAT(std::string(given_up.message()), HasSubstr("no worker"));
  EXPECT_THAT(Results(".partial"), SizeIs(2));
  for (uint32_t id = 3; id <= 6; ++id) service_.Script(id, {});
  ASSERT_THAT(Run(), IsOk());
  EXPECT_THAT(Results(), SizeIs(6));
  EXPECT_THAT(service_.attempts(1), SizeIs(1));
}

// Line 1 runs for longer than that, while line 2 is refused all the time.
TEST_F(BatchRunnerTest, DoesNotGiveUpOnWhatTheServerHas) {
  WriteLines(2);
  options_.give_up_after = absl::Seconds(1.5);
  service_.SleepOn(1, absl::Seconds(2.5));
  const absl::Status full =
      WithRetryDelay(absl::ResourceExhaustedError("full"), absl::Seconds(0.5));
  service_.Script(2, {full, full, full, full, full, absl::OkStatus()});
  const auto summary = Run();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->errors, 0);
}

// The server was there until then.
TEST_F(BatchRunnerTest, DoesNotGiveUpWhenALongCallIsLost) {
  WriteLines(1);
  options_.give_up_after = absl::Seconds(1);
  service_.SleepOn(1, absl::Seconds(1.5));
  service_.Script(1, {absl::UnavailableError("gone"), absl::OkStatus()});
  EXPECT_THAT(Run(), IsOk());
  EXPECT_THAT(service_.attempts(1), SizeIs(2));
}

// Property: wherever a kill tears a real result, the next run goes on.
TEST_F(BatchRunnerTest, GoesOnAfterATornResult) {
  WriteLines(2);
  service_.Script(2, {absl::InvalidArgumentError("too long")});
  for (const uint32_t line : {1, 2}) {
    ASSERT_THAT(Run(), IsOk());
    const std::string result = Results()[line].dump();
    for (size_t length = 1; length <= result.size(); length += 7) {
      SCOPED_TRACE(result.substr(0, length));
      (void)std::remove(options_.output_file.c_str());
      std::ofstream(options_.output_file + ".partial")
          << result.substr(0, length);
      const auto summary = Run();
      ASSERT_THAT(summary, IsOk());
      EXPECT_EQ(summary->lines, 2);
    }
  }
}

TEST_F(BatchRunnerTest, AWrongKeyEndsTheRunAtOnce) {
  WriteLines(3);
  for (uint32_t id = 1; id <= 3; ++id) {
    service_.Script(id, {absl::UnauthenticatedError("no key")});
  }
  EXPECT_TRUE(absl::IsUnauthenticated(Run().status()));
}

}  // namespace
}  // namespace hybridserve
