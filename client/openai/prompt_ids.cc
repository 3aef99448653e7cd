#include "client/openai/prompt_ids.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/clock.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "grpcpp/client_context.h"

namespace hybridserve::openai {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(30);

}  // namespace

absl::StatusOr<v1::TokenIds> PromptIds(v1::InferenceService::Stub& stub,
                                       const CallMetadata& metadata,
                                       absl::Time deadline,
                                       const std::string& model,
                                       const Prompt& prompt) {
  v1::TokenIds ids;
  if (const auto* given = std::get_if<std::vector<int32_t>>(&prompt)) {
    for (const int32_t id : *given) ids.add_ids(static_cast<uint32_t>(id));
    return ids;
  }
  grpc::ClientContext context;
  metadata.AddTo(context);
  context.set_deadline(
      absl::ToChronoTime(std::min(deadline, absl::Now() + kTimeout)));
  v1::TokenizeRequest request;
  request.set_model(model);
  request.set_text(std::get<std::string>(prompt));
  v1::TokenizeResponse response;
  RETURN_IF_ERROR(FromGrpcStatus(stub.Tokenize(&context, request, &response)));
  *ids.mutable_ids() = std::move(*response.mutable_token_ids());
  return ids;
}

}  // namespace hybridserve::openai
