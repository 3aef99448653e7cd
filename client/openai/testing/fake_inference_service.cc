#include "client/openai/testing/fake_inference_service.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "glog/logging.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace hybridserve::openai {
namespace {

using Writer = grpc::ServerWriter<v1::GenerateStreamResponse>;

void WriteToken(uint32_t id, const v1::ResponseOptions& asked, Writer& writer) {
  v1::GenerateStreamResponse message;
  v1::TokenOutput& output = *message.mutable_token_output();
  output.set_text_delta(absl::StrCat("<", id, ">"));
  output.add_token_ids(id);
  if (asked.log_probs()) output.add_log_probs(-static_cast<float>(id));
  if (asked.top_log_probs() > 0) {
    v1::TopLogProbs& top = *output.add_top_log_probs();
    for (uint32_t i = 0; i < asked.top_log_probs(); ++i) {
      top.add_token_ids(id + i);
      top.add_log_probs(-static_cast<float>(id + i));
    }
  }
  writer.Write(message);
}

void WriteEnd(v1::FinishReason reason, uint32_t tokens, Writer& writer) {
  v1::GenerateStreamResponse message;
  message.mutable_finished()->set_reason(reason);
  message.mutable_usage()->set_prompt_tokens(5);
  message.mutable_usage()->set_completion_tokens(tokens);
  writer.Write(message);
}

}  // namespace

FakeInferenceService::FakeInferenceService() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  CHECK(server_ != nullptr);
  stub_ = v1::InferenceService::NewStub(grpc::CreateChannel(
      absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
}

FakeInferenceService::~FakeInferenceService() { server_->Shutdown(); }

std::map<std::string, std::string> FakeInferenceService::metadata() {
  absl::MutexLock lock(&mutex_);
  return metadata_;
}

grpc::Status FakeInferenceService::GenerateStream(
    grpc::ServerContext* context, const v1::GenerateStreamRequest* request,
    Writer* writer) {
  {
    absl::MutexLock lock(&mutex_);
    metadata_.clear();
    for (const auto& [name, value] : context->client_metadata()) {
      metadata_.emplace(std::string(name.data(), name.size()),
                        std::string(value.data(), value.size()));
    }
  }
  const std::string& prompt = request->prompt();
  if (prompt == "none") return {grpc::StatusCode::NOT_FOUND, "no model"};
  v1::GenerateStreamResponse accepted;
  accepted.mutable_accepted();
  writer->Write(accepted);
  const v1::ResponseOptions& asked = request->response();
  uint32_t tokens = 1;
  if (!absl::SimpleAtoi(prompt, &tokens)) tokens = 1;
  for (uint32_t id = 0; id < tokens && !context->IsCancelled(); ++id) {
    WriteToken(id, asked, *writer);
  }
  if (prompt == "break") return {grpc::StatusCode::INTERNAL, "broken"};
  if (prompt == "abort") {
    WriteEnd(v1::FINISH_REASON_CANCELLED, tokens, *writer);
    return grpc::Status::OK;
  }
  if (prompt == "pause") {
    resume_.WaitForNotification();
    WriteToken(tokens++, asked, *writer);
  }
  if (prompt == "wait") {
    while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    cancelled_.Notify();
  }
  WriteEnd(v1::FINISH_REASON_LENGTH, tokens, *writer);
  return grpc::Status::OK;
}

grpc::Status FakeInferenceService::Detokenize(
    grpc::ServerContext*, const v1::DetokenizeRequest* request,
    v1::DetokenizeResponse* response) {
  for (const uint32_t id : request->token_ids()) {
    response->mutable_text()->append(absl::StrCat("<", id, ">"));
    if (request->each()) response->add_texts(absl::StrCat("<", id, ">"));
  }
  return grpc::Status::OK;
}

grpc::Status FakeInferenceService::Tokenize(grpc::ServerContext*,
                                            const v1::TokenizeRequest* request,
                                            v1::TokenizeResponse* response) {
  uint32_t tokens = 0;
  if (!absl::SimpleAtoi(request->text(), &tokens)) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "no number"};
  }
  for (uint32_t id = 0; id < tokens; ++id) response->add_token_ids(id);
  return grpc::Status::OK;
}

grpc::Status FakeInferenceService::Score(grpc::ServerContext* context,
                                         const v1::ScoreRequest* request,
                                         v1::ScoreResponse* response) {
  const auto& ids = request->token_ids().ids();
  if (ids[0] == kScoresNever) {
    while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    cancelled_.Notify();
    return grpc::Status::CANCELLED;
  }
  *response->mutable_token_ids() = ids;
  for (int i = 1; i < ids.size(); ++i) {
    response->add_log_probs(-static_cast<float>(ids[i]));
    response->add_top_token_ids(ids[i] / 2);
    response->add_top_log_probs(-static_cast<float>(ids[i]) / 2);
  }
  return grpc::Status::OK;
}

}  // namespace hybridserve::openai
