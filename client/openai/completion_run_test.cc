// Against a service over a real socket.

#include "client/openai/completion_run.h"

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/openai/testing/fake_inference_service.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hybridserve::openai {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

// Keeps what is written, until the client is "gone".
class Sink final : public http::BodyWriter {
 public:
  explicit Sink(std::function<bool(absl::string_view)> on_write = nullptr)
      : on_write_(std::move(on_write)) {}

  bool Write(absl::string_view piece) override {
    if (on_write_ != nullptr && !on_write_(piece)) return false;
    text_.append(piece.data(), piece.size());
    return true;
  }

  // The data of events; "ping" for a comment.
  std::vector<std::string> events() const {
    std::vector<std::string> events;
    for (absl::string_view event : absl::StrSplit(text_, "\n\n")) {
      if (event.empty()) continue;
      const bool data = absl::ConsumePrefix(&event, "data: ");
      EXPECT_TRUE(data || event == ": ping") << event;
      events.emplace_back(data ? event : "ping");
    }
    return events;
  }

 private:
  const std::function<bool(absl::string_view)> on_write_;
  std::string text_;
};

class CompletionRunTest : public testing::Test {
 protected:
  static CompletionRun::Options Options(
      const std::vector<std::string>& prompts) {
    CompletionRun::Options options;
    options.head = {.id = "cmpl-1", .model = "m"};
    options.metadata = {.request_id = "id"};
    for (const std::string& prompt : prompts) {
      options.requests.emplace_back().set_prompt(prompt);
    }
    return options;
  }

  FakeInferenceService service_;
};

TEST_F(CompletionRunTest, EchoesPromptsWithTheirLogProbs) {
  for (const bool streams : {false, true}) {
    CompletionRun::Options options = Options({"2", "2", "1", "1"});
    options.head.log_probs = options.head.top_log_probs = true;
    options.choices_of_prompt = 2;
    options.prefixes = {"<1><4>", "<7>"};
    options.scored_prompts = {Prompt(std::vector<int32_t>{9, 1, 4}),
                              Prompt(std::vector<int32_t>{7})};
    for (v1::GenerateStreamRequest& request : options.requests) {
      request.mutable_response()->set_log_probs(true);
    }
    CompletionRun run(service_.stub(), std::move(options));
    ASSERT_THAT(run.WaitUntilAccepted(), IsOk());
    if (!streams) {
      const auto body = run.Collect();
      ASSERT_THAT(body, IsOk());
      const json first = (*body)["choices"][1]["logprobs"];
      EXPECT_EQ(first["tokens"], json({"<9>", "<1>", "<4>", "<0>", "<1>"}));
      EXPECT_EQ(first["token_logprobs"], json({nullptr, -1, -4, 0, -1}));
      EXPECT_EQ(first["top_logprobs"], json({nullptr,
                                             {{"<0>", -0.5}, {"<1>", -1}},
                                             {{"<2>", -2}, {"<4>", -4}},
                                             {{"<0>", 0}},
                                             {{"<1>", -1}}}));
      EXPECT_EQ(first["text_offset"], json({0, 0, 3, 6, 9}));
      const json second = (*body)["choices"][2];
      EXPECT_EQ(second["text"], "<7><0>");
      EXPECT_EQ(second["logprobs"]["token_logprobs"], json({nullptr, 0}));
      continue;
    }
    Sink sink;
    ASSERT_THAT(run.Stream(sink), IsOk());
    const json opening = json::parse(sink.events()[0])["choices"][0];
    EXPECT_EQ(opening["text"], "<1><4>");
    EXPECT_EQ(opening["logprobs"]["token_logprobs"], json({nullptr, -1, -4}));
  }
}

TEST_F(CompletionRunTest, PromptsAloneAskForNoOutput) {
  for (const bool streams : {false, true}) {
    // The service refuses such requests.
    CompletionRun::Options options = Options({"none", "none"});
    options.head.log_probs = true;
    options.choices_of_prompt = 2;
    options.prefixes = {"<1><4>"};
    options.scored_prompts = {Prompt(std::vector<int32_t>{9, 1, 4})};
    options.only_prompts = {3};
    CompletionRun run(service_.stub(), std::move(options));
    ASSERT_THAT(run.WaitUntilAccepted(), IsOk());
    if (!streams) {
      const auto body = run.Collect();
      ASSERT_THAT(body, IsOk());
      ASSERT_EQ((*body)["choices"].size(), 2U);
      const json choice = (*body)["choices"][1];
      EXPECT_EQ(choice["text"], "<1><4>");
      EXPECT_EQ(choice["finish_reason"], "length");
      EXPECT_EQ(choice["logprobs"]["token_logprobs"], json({nullptr, -1, -4}));
      EXPECT_EQ((*body)["usage"]["prompt_tokens"], 3);
      EXPECT_EQ((*body)["usage"]["completion_tokens"], 0);
      continue;
    }
    Sink sink;
    ASSERT_THAT(run.Stream(sink), IsOk());
    const std::vector<std::string> events = sink.events();
    ASSERT_EQ(events.size(), 5U);
    for (int i = 0; i < 2; ++i) {
      const json opening = json::parse(events[i])["choices"][0];
      EXPECT_EQ(opening["text"], "<1><4>");
      const json end = json::parse(events[2 + i])["choices"][0];
      EXPECT_EQ(end["index"], i);
      EXPECT_EQ(end["finish_reason"], "length");
    }
    EXPECT_EQ(events[4], "[DONE]");
  }
}

TEST_F(CompletionRunTest, CancellingEndsScoring) {
  CompletionRun::Options options = Options({"1"});
  options.prefixes = {"x"};
  options.scored_prompts = {Prompt(std::vector<int32_t>{
      static_cast<int32_t>(FakeInferenceService::kScoresNever), 1})};
  CompletionRun run(service_.stub(), std::move(options));
  std::thread canceller([&run] {
    absl::SleepFor(absl::Milliseconds(50));
    run.Cancel();
  });
  EXPECT_THAT(run.WaitUntilAccepted(), StatusIs(absl::StatusCode::kCancelled));
  canceller.join();
  service_.WaitUntilCancelled();
}

TEST_F(CompletionRunTest, APromptThatCannotBeTokenizedIsAnError) {
  CompletionRun::Options options = Options({"1"});
  options.prefixes = {"x"};
  options.scored_prompts = {Prompt("x")};
  CompletionRun run(service_.stub(), std::move(options));
  EXPECT_THAT(run.WaitUntilAccepted(),
              StatusIs(absl::StatusCode::kInvalidArgument, "no number"));
}

TEST_F(CompletionRunTest, CollectsAllChoices) {
  CompletionRun::Options options = Options({"3", "3", "0", "0"});
  options.choices_of_prompt = 2;
  CompletionRun run(service_.stub(), std::move(options));
  ASSERT_THAT(run.WaitUntilAccepted(), IsOk());
  const auto body = run.Collect();
  ASSERT_THAT(body, IsOk());
  const json choices = (*body)["choices"];
  ASSERT_EQ(choices.size(), 4U);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(choices[i]["index"], i);
    EXPECT_EQ(choices[i]["text"], i < 2 ? "<0><1><2>" : "");
    EXPECT_EQ(choices[i]["finish_reason"], "length");
  }
  // Two prompts, four outputs.
  EXPECT_EQ((*body)["usage"]["prompt_tokens"], 10);
  EXPECT_EQ((*body)["usage"]["completion_tokens"], 6);
}

TEST_F(CompletionRunTest, ARefusalIsKnownBeforeAnythingIsSaid) {
  CompletionRun run(service_.stub(), Options({"wait", "none"}));
  EXPECT_THAT(run.WaitUntilAccepted(),
              StatusIs(absl::StatusCode::kNotFound, "no model"));
}

TEST_F(CompletionRunTest, StreamsEachPartAndUsageAtTheEnd) {
  CompletionRun::Options options = Options({"3"});
  options.head.usage_of_stream = true;
  CompletionRun run(service_.stub(), std::move(options));
  ASSERT_THAT(run.WaitUntilAccepted(), IsOk());
  Sink sink;
  EXPECT_THAT(run.Stream(sink), IsOk());
  const std::vector<std::string> events = sink.events();
  ASSERT_EQ(events.size(), 6U);
  for (int i = 0; i < 3; ++i) {
    const json event = json::parse(events[i]);
    EXPECT_EQ(event["choices"][0]["text"], absl::StrCat("<", i, ">"));
    EXPECT_TRUE(event["choices"][0]["finish_reason"].is_null());
  }
  EXPECT_EQ(json::parse(events[3])["choices"][0]["finish_reason"], "length");
  EXPECT_THAT(json::parse(events[4])["choices"], IsEmpty());
  EXPECT_EQ(json::parse(events[4])["usage"]["total_tokens"], 8);
  EXPECT_EQ(events[5], "[DONE]");
}

TEST_F(CompletionRunTest, ChatsOpenWithARole) {
  CompletionRun::Options options = Options({"1", "0"});
  options.head.api = Api::kChat;
  options.choices_of_prompt = 2;
  CompletionRun run(service_.stub(), std::move(options));
  ASSERT_THAT(run.WaitUntilAccepted(), IsOk());
  Sink sink;
  EXPECT_THAT(run.Stream(sink), IsOk());
  const std::vector<std::string> events = sink.events();
  ASSERT_EQ(events.size(), 6U);
  for (int i = 0; i < 2; ++i) {
    const json choice = json::parse(events[i])["choices"][0];
    EXPECT_EQ(choice["index"], i);
    EXPECT_EQ(choice["delta"]["role"], "assistant");
  }
}

TEST_F(CompletionRunTest, PromptsAreEchoed) {
  for (const bool stream : {false, true}) {
    CompletionRun::Options options = Options({"2"});
    options.prefixes = {"Prompt: "};
    CompletionRun run(service_.stub(), std::move(options));
    ASSERT_THAT(run.WaitUntilAccepted(), IsOk());
    if (!stream) {
      EXPECT_EQ((*run.Collect())["choices"][0]["text"], "Prompt: <0><1>");
      continue;
    }
    Sink sink;
    EXPECT_THAT(run.Stream(sink), IsOk());
    EXPECT_EQ(json::parse(sink.events()[0])["choices"][0]["text"], "Prompt: ");
  }
}

TEST_F(CompletionRunTest, TokensOfLogProbsAreTheServers) {
  CompletionRun::Options options = Options({"2"});
  options.head.log_probs = true;
  options.requests[0].mutable_response()->set_log_probs(true);
  CompletionRun run(service_.stub(), std::move(options));
  ASSERT_THAT(run.WaitUntilAccepted(), IsOk());
  const auto body = run.Collect();
  ASSERT_THAT(body, IsOk());
  const json log_probs = (*body)["choices"][0]["logprobs"];
  EXPECT_EQ(log_probs["tokens"], json::array({"<0>", "<1>"}));
  EXPECT_EQ(log_probs["token_logprobs"], json::array({-0.0, -1.0}));
}

TEST_F(CompletionRunTest, TheLikeliestTokensAreTold) {
  CompletionRun::Options options = Options({"2"});
  options.head.log_probs = options.head.top_log_probs = true;
  v1::ResponseOptions& asked = *options.requests[0].mutable_response();
  asked.set_log_probs(true);
  asked.set_top_log_probs(3);
  CompletionRun run(service_.stub(), std::move(options));
  ASSERT_THAT(run.WaitUntilAccepted(), IsOk());
  const auto body = run.Collect();
  ASSERT_THAT(body, IsOk());
  const json top = (*body)["choices"][0]["logprobs"]["top_logprobs"];
  EXPECT_EQ(top, json({{{"<0>", -0.0}, {"<1>", -1.0}, {"<2>", -2.0}},
                       {{"<1>", -1.0}, {"<2>", -2.0}, {"<3>", -3.0}}}));
}

TEST_F(CompletionRunTest, AnErrorInTheMiddleIsTheLastEventButOne) {
  const struct {
    const char* prompt;
    absl::StatusCode code;
    const char* message;
  } cases[] = {{"break", absl::StatusCode::kInternal, "broken"},
               {"abort", absl::StatusCode::kCancelled,
                "the request was aborted on the server"}};
  for (const auto& [prompt, code, message] : cases) {
    CompletionRun run(service_.stub(), Options({prompt}));
    ASSERT_THAT(run.WaitUntilAccepted(), IsOk());
    Sink sink;
    EXPECT_THAT(run.Stream(sink), StatusIs(code));
    const std::vector<std::string> events = sink.events();
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(json::parse(events[1])["error"]["message"], message);
    EXPECT_EQ(events[2], "[DONE]");
  }
}

TEST_F(CompletionRunTest, SilenceIsBrokenByPings) {
  CompletionRun::Options options = Options({"pause"});
  options.ping_interval = absl::Milliseconds(10);
  CompletionRun run(service_.stub(), std::move(options));
  ASSERT_THAT(run.WaitUntilAccepted(), IsOk());
  int pings = 0;
  Sink sink([&](absl::string_view piece) {
    if (piece == ": ping\n\n" && ++pings == 3) service_.Resume();
    return true;
  });
  EXPECT_THAT(run.Stream(sink), IsOk());
  EXPECT_GE(pings, 3);
  EXPECT_EQ(sink.events().back(), "[DONE]");
}

TEST_F(CompletionRunTest, AClientThatIsGoneEndsTheCalls) {
  CompletionRun run(service_.stub(), Options({"wait", "100000"}));
  ASSERT_THAT(run.WaitUntilAccepted(), IsOk());
  Sink sink([](absl::string_view) { return false; });
  EXPECT_THAT(run.Stream(sink), StatusIs(absl::StatusCode::kCancelled));
  service_.WaitUntilCancelled();
}

}  // namespace
}  // namespace hybridserve::openai
