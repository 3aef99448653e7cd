// InferenceService over real sockets, with a worker that follows a script.

#include <array>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "common/testing/status_matchers.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "hybridserve/v1/inference_service.pb.h"
#include "scheduler/testing/server_harness.h"
#include "scheduler/tokenizer/utf8.h"

namespace hybridserve {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::Ge;
using ::testing::Le;
using ::testing::Optional;
using ::testing::SizeIs;

// What a client saw of a GenerateStream call.
struct Seen {
  std::vector<v1::GenerateStreamResponse> events;
  std::string text;
  std::vector<uint32_t> token_ids;
  absl::Status status;
};

class InferenceServiceTest : public ServerTest {
 protected:
  void SetUp() override {
    StartServer(LoopbackOptions());
    StartWorker();
  }

  absl::StatusOr<v1::GenerateResponse> Generate(
      const v1::GenerateRequest& request) {
    grpc::ClientContext context;
    v1::GenerateResponse response;
    const grpc::Status status =
        inference_->Generate(&context, request, &response);
    if (!status.ok()) return FromGrpcStatus(status);
    return response;
  }

  Seen Stream(const v1::GenerateRequest& request) {
    // The same fields, so the same bytes.
    v1::GenerateStreamRequest stream_request;
    CHECK(stream_request.ParseFromString(request.SerializeAsString()));
    grpc::ClientContext context;
    const auto reader = inference_->GenerateStream(&context, stream_request);
    Seen seen;
    v1::GenerateStreamResponse event;
    while (reader->Read(&event)) {
      EXPECT_EQ(FindInvalidUtf8(event.token_output().text_delta()),
                std::nullopt);
      seen.text += event.token_output().text_delta();
      for (const uint32_t id : event.token_output().token_ids()) {
        seen.token_ids.push_back(id);
      }
      seen.events.push_back(event);
    }
    seen.status = FromGrpcStatus(reader->Finish());
    return seen;
  }
};

v1::GenerateRequest Request(const std::string& prompt, int max_tokens) {
  v1::GenerateRequest request;
  request.set_prompt(prompt);
  request.mutable_stopping()->set_max_tokens(max_tokens);
  return request;
}

TEST_F(InferenceServiceTest, GeneratesUntilMaxTokens) {
  v1::GenerateRequest request = Request("abc", 9);
  request.set_model("bytes");
  request.mutable_response()->set_log_probs(true);
  request.mutable_response()->set_top_log_probs(2);
  const auto response = Generate(request);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->text(), "the quick");
  EXPECT_THAT(response->token_ids(), SizeIs(9));
  EXPECT_EQ(response->token_ids(0), 't');
  EXPECT_THAT(response->log_probs(), SizeIs(9));
  EXPECT_THAT(response->log_probs(), Each(-0.5F));
  EXPECT_THAT(response->top_log_probs(), SizeIs(9));
  EXPECT_THAT(response->top_log_probs(8).token_ids(), ElementsAre(0, 1));
  EXPECT_THAT(response->top_log_probs(8).log_probs(), ElementsAre(0, -1));
  EXPECT_EQ(response->finish_reason(), v1::FINISH_REASON_LENGTH);
  EXPECT_FALSE(response->has_stop_match());
  EXPECT_EQ(response->usage().prompt_tokens(), 4);  // </s>, a, b, c.
  EXPECT_EQ(response->usage().completion_tokens(), 9);
  EXPECT_FALSE(response->request_id().empty());
}

TEST_F(InferenceServiceTest, AStreamSaysTheSameInPieces) {
  v1::GenerateRequest request = Request("abc", 30);
  request.set_request_id("mine");
  const Seen seen = Stream(request);
  ASSERT_THAT(seen.status, IsOk());
  EXPECT_EQ(seen.text, Generate(request)->text());
  EXPECT_THAT(seen.token_ids, SizeIs(30));
  EXPECT_TRUE(seen.events.front().has_accepted());
  EXPECT_TRUE(seen.events.back().has_finished());
  for (const v1::GenerateStreamResponse& event : seen.events) {
    const bool last = &event == &seen.events.back();
    EXPECT_EQ(event.request_id(), "mine");
    EXPECT_EQ(event.has_finished(), last);
    EXPECT_EQ(event.has_usage(), last);
  }
  EXPECT_EQ(seen.events.back().usage().completion_tokens(), 30);
  EXPECT_EQ(seen.events.back().finished().reason(), v1::FINISH_REASON_LENGTH);
}

// An end may come while a write is under way, or just when it is done.
TEST_F(InferenceServiceTest, TokensComeTogetherWhereThatIsWanted) {
  const v1::GenerateRequest request = Request("abc", 12);
  const auto whole = Generate(request);
  ASSERT_THAT(whole, IsOk());
  SchedulerServerOptions options = LoopbackOptions();
  options.stream_interval = 4;
  StartServer(std::move(options));
  StartWorker();
  const Seen seen = Stream(request);
  EXPECT_THAT(seen.status, IsOk());
  EXPECT_EQ(seen.text, whole->text());
  EXPECT_THAT(seen.token_ids, ElementsAreArray(whole->token_ids()));
  // The first token or more, twice four or more, what is left.
  std::vector<int> sizes;
  for (const v1::GenerateStreamResponse& event : seen.events) {
    if (event.has_token_output()) {
      sizes.push_back(event.token_output().token_ids_size());
    }
  }
  ASSERT_THAT(sizes, SizeIs(AllOf(Ge(1), Le(4))));
  EXPECT_GE(sizes.front(), 1);
  for (size_t i = 1; i + 1 < sizes.size(); ++i) EXPECT_GE(sizes[i], 4);
}

TEST_F(InferenceServiceTest, ManyShortCallsEndWhole) {
  std::array<std::thread, 8> clients;
  for (size_t client = 0; client < clients.size(); ++client) {
    clients[client] = std::thread([this, client] {
      for (int i = 0; i < 100; ++i) {
        const int tokens = 1 + (i + static_cast<int>(client)) % 3;
        const Seen seen = Stream(Request("abc", tokens));
        ASSERT_THAT(seen.status, IsOk());
        EXPECT_THAT(seen.token_ids, SizeIs(tokens));
        EXPECT_TRUE(seen.events.back().has_finished());
        const auto response = Generate(Request("abc", tokens));
        ASSERT_THAT(response, IsOk());
        EXPECT_EQ(response->text(), seen.text);
      }
    });
  }
  for (std::thread& client : clients) client.join();
}

TEST_F(InferenceServiceTest, CharactersOfSeveralTokensComeWhole) {
  StartServer(LoopbackOptions());
  StartWorker({.script = "h\xc3\xa9 \xf0\x9f\x99\x82!"});
  const Seen seen = Stream(Request("x", 9));
  EXPECT_EQ(seen.text, "h\xc3\xa9 \xf0\x9f\x99\x82!");
  // Cut in the smile: what is there of it becomes U+FFFD, at the end only.
  const Seen cut = Stream(Request("x", 6));
  EXPECT_EQ(cut.text, "h\xc3\xa9 \xef\xbf\xbd");
}

TEST_F(InferenceServiceTest, AStopTextEndsTheOutputAndIsNotShown) {
  v1::GenerateRequest request = Request("abc", 60);
  request.mutable_stopping()->add_conditions()->set_text("ck br");
  const auto response = Generate(request);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->text(), "the qui");
  EXPECT_EQ(response->finish_reason(), v1::FINISH_REASON_STOP);
  EXPECT_EQ(response->stop_match().text(), "ck br");
  EXPECT_EQ(Stream(request).text, "the qui");
}

TEST_F(InferenceServiceTest, AStopTokenEndsTheOutputAndBelongsToIt) {
  v1::GenerateRequest request = Request("abc", 60);
  request.mutable_stopping()->add_conditions()->set_token_id('q');
  const auto response = Generate(request);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->finish_reason(), v1::FINISH_REASON_STOP);
  EXPECT_EQ(response->stop_match().token_id(), 'q');
  EXPECT_EQ(response->text(), "the q");
}

TEST_F(InferenceServiceTest, TokenIdsAreTakenAsTheyAre) {
  v1::GenerateRequest request = Request("", 1);
  request.mutable_token_ids()->add_ids(65);
  const auto response = Generate(request);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->usage().prompt_tokens(), 1);
}

TEST_F(InferenceServiceTest, MaxTokensDefaultsToWhatTheModelLeaves) {
  v1::GenerateRequest request;
  request.set_prompt("abc");
  const auto response = Generate(request);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->usage().completion_tokens(), 128 - 4);
}

TEST_F(InferenceServiceTest, BadFieldsAreNamed) {
  struct Bad {
    std::string field;
    std::function<void(v1::GenerateRequest&)> apply;
  };
  const std::vector<Bad> bads = {
      {"prompt", [](auto& r) { r.clear_prompt(); }},
      {"prompt", [](auto& r) { r.set_prompt(std::string(200, 'x')); }},
      // So long that nobody tokenizes it.
      {"prompt", [](auto& r) { r.set_prompt(std::string(70'000, 'x')); }},
      {"prompt",
       [](auto& r) { r.mutable_token_ids()->mutable_ids()->Resize(129, 7); }},
      {"token_ids", [](auto& r) { r.mutable_token_ids(); }},
      {"token_ids", [](auto& r) { r.mutable_token_ids()->add_ids(257); }},
      {"token_ids",
       [](auto& r) { r.mutable_token_ids()->add_ids(0xffffffffU); }},
      {"request_id", [](auto& r) { r.set_request_id("two words"); }},
      {"request_id", [](auto& r) { r.set_request_id(std::string(129, 'x')); }},
      {"sampling.temperature",
       [](auto& r) { r.mutable_sampling()->set_temperature(-1); }},
      {"sampling.temperature",
       [](auto& r) {
         r.mutable_sampling()->set_temperature(
             std::numeric_limits<double>::infinity());
       }},
      {"sampling.top_p", [](auto& r) { r.mutable_sampling()->set_top_p(0); }},
      {"sampling.top_p", [](auto& r) { r.mutable_sampling()->set_top_p(1.5); }},
      {"sampling.top_p",
       [](auto& r) {
         r.mutable_sampling()->set_top_p(
             std::numeric_limits<double>::quiet_NaN());
       }},
      {"sampling.top_k", [](auto& r) { r.mutable_sampling()->set_top_k(-1); }},
      {"response.top_log_probs",
       [](auto& r) { r.mutable_response()->set_top_log_probs(21); }},
      {"stopping.max_tokens",
       [](auto& r) { r.mutable_stopping()->set_max_tokens(0); }},
      {"stopping.max_tokens",
       [](auto& r) { r.mutable_stopping()->set_max_tokens(4'000'000'000U); }},
      {"stopping.conditions[0]",
       [](auto& r) { r.mutable_stopping()->add_conditions(); }},
      {"stopping.conditions[0].text",
       [](auto& r) { r.mutable_stopping()->add_conditions()->set_text(""); }},
      {"stopping.conditions[0].text",
       [](auto& r) {
         r.mutable_stopping()->add_conditions()->set_text(
             std::string(257, 'x'));
       }},
      {"stopping.conditions[0].token_id",
       [](auto& r) {
         r.mutable_stopping()->add_conditions()->set_token_id(257);
       }},
      {"stopping.conditions",
       [](auto& r) {
         for (int i = 0; i < 17; ++i) {
           r.mutable_stopping()->add_conditions()->set_text("x");
         }
       }},
      {"generation_config",
       [](auto& r) {
         r.set_generation_config(static_cast<v1::GenerationConfig>(7));
       }},
  };
  for (const Bad& bad : bads) {
    SCOPED_TRACE(bad.field);
    v1::GenerateRequest request = Request("abc", 4);
    bad.apply(request);
    const auto response = Generate(request);
    EXPECT_THAT(response, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(FieldOf(response.status()), Optional(bad.field));
    EXPECT_EQ(Stream(request).status, response.status());
  }
  EXPECT_THAT(Generate(Request("abc", 4)), IsOk());
}

TEST_F(InferenceServiceTest, TextThatIsNotUtf8IsRefusedWithTheOffset) {
  // No client library sends it, so by hand: field 3, "ab\xff".
  std::string bytes = "\x1a\x03";
  bytes += "ab\xff";
  const grpc::Slice slice(bytes);
  grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  grpc::GenericStub stub(channel_);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(
      &context, "/hybridserve.v1.InferenceService/Generate", request, &queue);
  call->StartCall();
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_THAT(FromGrpcStatus(status),
              StatusIs(absl::StatusCode::kInvalidArgument, "at offset 2"));
  EXPECT_THAT(FieldOf(FromGrpcStatus(status)), Optional(std::string("prompt")));
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
}

TEST_F(InferenceServiceTest, AnUnknownModelIsNotFoundAndNamed) {
  v1::GenerateRequest request = Request("abc", 4);
  request.set_model("opt-9t");
  grpc::ClientContext context;
  v1::GenerateResponse response;
  const grpc::Status status =
      inference_->Generate(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  google::rpc::ResourceInfo resource;
  ASSERT_EQ(details.details_size(), 1);
  ASSERT_TRUE(details.details(0).UnpackTo(&resource));
  EXPECT_EQ(resource.resource_type(), "model");
  EXPECT_EQ(resource.resource_name(), "opt-9t");
}

TEST_F(InferenceServiceTest, ScoresEachTokenGivenThoseBeforeIt) {
  grpc::ClientContext context;
  v1::ScoreRequest request;
  request.set_text("abc");
  v1::ScoreResponse response;
  ASSERT_THAT(FromGrpcStatus(inference_->Score(&context, request, &response)),
              IsOk());
  EXPECT_THAT(response.token_ids(), ElementsAre(kByteModelEos, 'a', 'b', 'c'));
  EXPECT_THAT(response.log_probs(), ElementsAre(-'a', -'b', -'c'));
  EXPECT_THAT(response.top_token_ids(), ElementsAre('a' / 2, 'b' / 2, 'c' / 2));
  EXPECT_THAT(response.top_log_probs(), ElementsAre(-0.25, -0.25, -0.25));
}

TEST_F(InferenceServiceTest, OneTokenCannotBeScored) {
  grpc::ClientContext context;
  v1::ScoreRequest request;
  request.mutable_token_ids()->add_ids(5);
  v1::ScoreResponse response;
  const absl::Status status =
      FromGrpcStatus(inference_->Score(&context, request, &response));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(FieldOf(status), Optional(std::string("token_ids")));
}

TEST_F(InferenceServiceTest, TokenizesAndBack) {
  grpc::ClientContext context;
  v1::TokenizeRequest request;
  request.set_text("ab");
  v1::TokenizeResponse response;
  ASSERT_TRUE(inference_->Tokenize(&context, request, &response).ok());
  EXPECT_THAT(response.token_ids(), ElementsAre(kByteModelEos, 'a', 'b'));

  grpc::ClientContext back_context;
  v1::DetokenizeRequest back;
  *back.mutable_token_ids() = response.token_ids();
  v1::DetokenizeResponse text;
  ASSERT_TRUE(inference_->Detokenize(&back_context, back, &text).ok());
  EXPECT_EQ(text.text(), "ab");
  EXPECT_EQ(text.texts_size(), 0);

  grpc::ClientContext each_context;
  back.set_each(true);
  back.set_skip_special_tokens(false);
  ASSERT_TRUE(inference_->Detokenize(&each_context, back, &text).ok());
  EXPECT_THAT(text.texts(), ElementsAre(_, "a", "b"));
}

TEST_F(InferenceServiceTest, BothGenerateRequestsHaveTheSameFields) {
  const auto& unary = *v1::GenerateRequest::descriptor();
  const auto& stream = *v1::GenerateStreamRequest::descriptor();
  ASSERT_EQ(unary.field_count(), stream.field_count());
  for (int i = 0; i < unary.field_count(); ++i) {
    EXPECT_EQ(unary.field(i)->name(), stream.field(i)->name());
    EXPECT_EQ(unary.field(i)->number(), stream.field(i)->number());
    EXPECT_EQ(unary.field(i)->type(), stream.field(i)->type());
  }
}

}  // namespace
}  // namespace hybridserve
