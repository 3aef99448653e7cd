#include "client/openai/token_texts.h"

#include <utility>

#include "absl/time/clock.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "google/protobuf/repeated_field.h"
#include "grpcpp/client_context.h"

namespace hybridserve::openai {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(30);

}  // namespace

TokenTexts::TokenTexts(v1::InferenceService::Stub& stub, CallMetadata metadata,
                       std::string model)
    : stub_(stub), metadata_(std::move(metadata)), model_(std::move(model)) {}

absl::StatusOr<std::string> TokenTexts::Of(uint32_t token_id) {
  RETURN_IF_ERROR(Fetch(absl::MakeConstSpan(&token_id, 1)));
  return texts_.at(token_id);
}

absl::Status TokenTexts::Fetch(absl::Span<const uint32_t> token_ids) {
  v1::DetokenizeRequest request;
  for (const uint32_t id : token_ids) {
    if (texts_.try_emplace(id).second) request.add_token_ids(id);
  }
  if (request.token_ids().empty()) return absl::OkStatus();
  const google::protobuf::RepeatedField<uint32_t> ids = request.token_ids();
  request.set_skip_special_tokens(false);
  request.set_each(true);
  absl::StatusOr<v1::DetokenizeResponse> response = Ask(std::move(request));
  absl::Status status = response.status();
  if (status.ok() && response->texts_size() != ids.size()) {
    status = absl::InternalError("the server gave not all tokens' texts");
  }
  for (int i = 0; i < ids.size(); ++i) {
    if (status.ok()) {
      texts_[ids[i]] = std::move(*response->mutable_texts(i));
    } else {
      texts_.erase(ids[i]);  // Asked for again.
    }
  }
  return status;
}

absl::StatusOr<std::string> TokenTexts::OfAll(
    absl::Span<const int32_t> token_ids) {
  v1::DetokenizeRequest request;
  for (const int32_t id : token_ids) {
    request.add_token_ids(static_cast<uint32_t>(id));
  }
  ASSIGN_OR_RETURN(v1::DetokenizeResponse response, Ask(std::move(request)));
  return std::move(*response.mutable_text());
}

absl::StatusOr<v1::DetokenizeResponse> TokenTexts::Ask(
    v1::DetokenizeRequest request) {
  request.set_model(model_);
  grpc::ClientContext context;
  metadata_.AddTo(context);
  context.set_deadline(absl::ToChronoTime(absl::Now() + kTimeout));
  v1::DetokenizeResponse response;
  RETURN_IF_ERROR(
      FromGrpcStatus(stub_.Detokenize(&context, request, &response)));
  return response;
}

}  // namespace hybridserve::openai
