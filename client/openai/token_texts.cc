#include "client/openai/token_texts.h"

#include <utility>

#include "absl/time/clock.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "grpcpp/client_context.h"

namespace hybridserve::openai {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(30);

}  // namespace

TokenTexts::TokenTexts(v1::InferenceService::Stub& stub, CallMetadata metadata,
                       std::string model)
    : stub_(stub), metadata_(std::move(metadata)), model_(std::move(model)) {}

absl::StatusOr<std::string> TokenTexts::Of(uint32_t token_id) {
  const auto known = texts_.find(token_id);
  if (known != texts_.end()) return known->second;
  v1::DetokenizeRequest request;
  request.add_token_ids(token_id);
  request.set_skip_special_tokens(false);
  ASSIGN_OR_RETURN(std::string text, Ask(std::move(request)));
  texts_[token_id] = text;
  return text;
}

absl::StatusOr<std::string> TokenTexts::OfAll(
    absl::Span<const int32_t> token_ids) {
  v1::DetokenizeRequest request;
  for (const int32_t id : token_ids) {
    request.add_token_ids(static_cast<uint32_t>(id));
  }
  return Ask(std::move(request));
}

absl::StatusOr<std::string> TokenTexts::Ask(v1::DetokenizeRequest request) {
  request.set_model(model_);
  grpc::ClientContext context;
  metadata_.AddTo(context);
  context.set_deadline(absl::ToChronoTime(absl::Now() + kTimeout));
  v1::DetokenizeResponse response;
  RETURN_IF_ERROR(
      FromGrpcStatus(stub_.Detokenize(&context, request, &response)));
  return std::move(*response.mutable_text());
}

}  // namespace hybridserve::openai
