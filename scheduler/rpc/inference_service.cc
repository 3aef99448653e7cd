#include "scheduler/rpc/inference_service.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "grpcpp/support/status.h"
#include "scheduler/rpc/message_bytes.h"
#include "scheduler/rpc/stream_call.h"
#include "scheduler/rpc/unary_call.h"

namespace hybridserve {
namespace {

// Who makes the call, and goes by that name from now on: in the message, where
// it has no name of its own.
template <typename Message>
CallIdentity Identify(const grpc::CallbackServerContext& context,
                      absl::StatusOr<Message>& message) {
  CallIdentity identity = IdentifyCall(
      context.client_metadata(), message.ok() ? message->request_id() : "");
  if (message.ok() && message->request_id().empty()) {
    message->set_request_id(identity.request_id);
  }
  return identity;
}

template <typename Message>
absl::StatusOr<Message> ParseAs(const grpc::ByteBuffer& request) {
  Message parsed;
  RETURN_IF_ERROR(ParseMessage(request, parsed));
  return parsed;
}

// Answers at once.
template <typename Response>
grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                 const absl::StatusOr<Response>& result,
                                 grpc::ByteBuffer* response) {
  if (result.ok()) *response = SerializeMessage(*result);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(result.status()));
  return reactor;
}

}  // namespace

grpc::ServerUnaryReactor* InferenceServiceImpl::Generate(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  Inquiry inquiry = ReadGenerate(*context, *request);
  auto* call = new GenerateCall(environment_, *context, response);
  call->Start(inquiry.identity, std::move(inquiry.prepared),
              context->deadline());
  return call;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>*
InferenceServiceImpl::GenerateStream(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request) {
  // GenerateStreamRequest has the same fields as GenerateRequest.
  Inquiry inquiry = ReadGenerate(*context, *request);
  auto* call = new StreamCall(environment_, *context);
  call->Start(inquiry.identity, std::move(inquiry.prepared),
              context->deadline());
  return call;
}

grpc::ServerUnaryReactor* InferenceServiceImpl::Score(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  Inquiry inquiry = ReadScore(*context, *request);
  auto* call = new ScoreCall(environment_, *context, response);
  call->Start(inquiry.identity, std::move(inquiry.prepared),
              context->deadline());
  return call;
}

grpc::ServerUnaryReactor* InferenceServiceImpl::Tokenize(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Answer(context, TokenizeBytes(*context, *request), response);
}

grpc::ServerUnaryReactor* InferenceServiceImpl::Detokenize(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Answer(context, DetokenizeBytes(*context, *request), response);
}

template <typename Message>
InferenceServiceImpl::Inquiry InferenceServiceImpl::Read(
    grpc::CallbackServerContext& context, const grpc::ByteBuffer& request,
    absl::FunctionRef<absl::StatusOr<PreparedRequest>(const Message&,
                                                      const ServedModels&)>
        prepare) const {
  absl::StatusOr<Caller> caller = authenticator_.Check(context, Action::kInfer);
  absl::StatusOr<Message> message =
      caller.ok() ? ParseAs<Message>(request) : caller.status();
  CallIdentity identity = Identify(context, message);
  Inquiry inquiry = {
      .identity = std::move(identity),
      .prepared = message.ok() ? prepare(*message, models_) : message.status()};
  if (inquiry.prepared.ok()) {
    inquiry.prepared->request.tenant = std::move(caller->tenant);
    inquiry.prepared->request.tenant_limits = caller->limits;
  }
  return inquiry;
}

InferenceServiceImpl::Inquiry InferenceServiceImpl::ReadGenerate(
    grpc::CallbackServerContext& context,
    const grpc::ByteBuffer& request) const {
  return Read<v1::GenerateRequest>(context, request, PrepareGenerate);
}

InferenceServiceImpl::Inquiry InferenceServiceImpl::ReadScore(
    grpc::CallbackServerContext& context,
    const grpc::ByteBuffer& request) const {
  return Read<v1::ScoreRequest>(context, request, PrepareScore);
}

absl::StatusOr<v1::TokenizeResponse> InferenceServiceImpl::TokenizeBytes(
    const grpc::CallbackServerContext& context,
    const grpc::ByteBuffer& request) const {
  RETURN_IF_ERROR(authenticator_.Check(context, Action::kInfer).status());
  v1::TokenizeRequest parsed;
  RETURN_IF_ERROR(ParseMessage(request, parsed));
  ASSIGN_OR_RETURN(const auto model, models_.Find(parsed.model()));
  if (static_cast<int64_t>(parsed.text().size()) > kMaxTextBytes) {
    return InvalidFieldError(
        "text", absl::StrCat("is longer than ", kMaxTextBytes, " bytes"));
  }
  const bool special =
      !parsed.has_add_special_tokens() || parsed.add_special_tokens();
  ASSIGN_OR_RETURN(const Tokenizer* const tokenizer, TokenizerOf(*model));
  ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                   tokenizer->Encode(parsed.text(), special));
  v1::TokenizeResponse response;
  response.mutable_token_ids()->Add(ids.begin(), ids.end());
  return response;
}

absl::StatusOr<v1::DetokenizeResponse> InferenceServiceImpl::DetokenizeBytes(
    const grpc::CallbackServerContext& context,
    const grpc::ByteBuffer& request) const {
  RETURN_IF_ERROR(authenticator_.Check(context, Action::kInfer).status());
  v1::DetokenizeRequest parsed;
  RETURN_IF_ERROR(ParseMessage(request, parsed));
  ASSIGN_OR_RETURN(const auto model, models_.Find(parsed.model()));
  std::vector<int32_t> ids;
  ids.reserve(parsed.token_ids_size());
  for (const uint32_t id : parsed.token_ids()) {
    if (id >= model->config.vocab_size) {
      return InvalidFieldError(
          "token_ids",
          absl::StrCat("id ", id, " is outside of the vocabulary of ",
                       model->config.vocab_size));
    }
    ids.push_back(static_cast<int32_t>(id));
  }
  const bool skip =
      !parsed.has_skip_special_tokens() || parsed.skip_special_tokens();
  ASSIGN_OR_RETURN(const Tokenizer* const tokenizer, TokenizerOf(*model));
  v1::DetokenizeResponse response;
  response.set_text(tokenizer->Decode(ids, skip));
  if (parsed.each()) {
    for (const int32_t id : ids) {
      response.add_texts(tokenizer->DecodeToken(id, skip));
    }
  }
  return response;
}

}  // namespace hybridserve
