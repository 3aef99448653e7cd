// Against a service over a real socket.

#include "client/openai/generation_calls.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/openai/testing/fake_inference_service.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hybridserve::openai {
namespace {

class GenerationCallsTest : public testing::Test {
 protected:
  std::unique_ptr<GenerationCalls> Start(
      const std::vector<std::string>& prompts,
      absl::Time deadline = absl::InfiniteFuture()) {
    std::vector<v1::GenerateStreamRequest> requests;
    for (const std::string& prompt : prompts) {
      requests.emplace_back().set_prompt(prompt);
    }
    return std::make_unique<GenerationCalls>(
        service_.stub(), CallMetadata{.request_id = "id", .tenant = "alice"},
        deadline, std::move(requests));
  }

  // The texts of a call's tokens until all calls have ended.
  struct Result {
    std::string text;
    absl::Status status = absl::UnknownError("not ended");
  };
  static std::vector<Result> Collect(GenerationCalls& calls) {
    std::vector<Result> results(calls.size());
    while (auto event = calls.Next(absl::InfiniteFuture())) {
      Result& result = results[event->call];
      result.text += event->message.token_output().text_delta();
      if (event->ended) result.status = event->status;
    }
    return results;
  }

  FakeInferenceService service_;
};

TEST_F(GenerationCallsTest, EachCallsMessagesComeInOrder) {
  const auto calls = Start({"3", "0", "200"});
  const std::vector<Result> results = Collect(*calls);
  EXPECT_TRUE(calls->all_ended());
  EXPECT_EQ(results[0].text, "<0><1><2>");
  EXPECT_EQ(results[1].text, "");
  std::string all;
  for (int i = 0; i < 200; ++i) absl::StrAppend(&all, "<", i, ">");
  EXPECT_EQ(results[2].text, all);
  for (const Result& result : results) EXPECT_THAT(result.status, IsOk());
  EXPECT_EQ(service_.metadata()["x-request-id"], "id");
  EXPECT_EQ(service_.metadata()["x-hybridserve-tenant"], "alice");
  EXPECT_EQ(service_.metadata().count("authorization"), 0U);
}

TEST_F(GenerationCallsTest, ErrorsAreTheirCallsOwn) {
  const auto calls = Start({"none", "2"});
  const std::vector<Result> results = Collect(*calls);
  EXPECT_THAT(results[0].status,
              StatusIs(absl::StatusCode::kNotFound, "no model"));
  EXPECT_THAT(results[1].status, IsOk());
  EXPECT_EQ(results[1].text, "<0><1>");
}

TEST_F(GenerationCallsTest, CancellingEndsThem) {
  const auto calls = Start({"wait"});
  for (int i = 0; i < 2; ++i) {
    const auto event = calls->Next(absl::InfiniteFuture());
    ASSERT_TRUE(event.has_value());
    EXPECT_FALSE(event->ended);
  }
  // There is nothing more.
  EXPECT_FALSE(calls->Next(absl::Now() + absl::Milliseconds(50)).has_value());
  calls->Cancel();
  const std::vector<Result> results = Collect(*calls);
  EXPECT_THAT(results[0].status, StatusIs(absl::StatusCode::kCancelled));
  service_.WaitUntilCancelled();
}

TEST_F(GenerationCallsTest, TheDestructorCancelsWhateverWasTaken) {
  auto calls = Start({"100000", "wait"});
  for (int64_t call = 0; call != 1;) {
    const auto event = calls->Next(absl::InfiniteFuture());
    ASSERT_TRUE(event.has_value());
    call = event->call;
  }
  calls.reset();
  service_.WaitUntilCancelled();
}

TEST_F(GenerationCallsTest, TheDeadlineIsTheCalls) {
  const auto calls = Start({"wait"}, absl::Now() + absl::Milliseconds(100));
  EXPECT_THAT(Collect(*calls)[0].status,
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

}  // namespace
}  // namespace hybridserve::openai
