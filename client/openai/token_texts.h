#ifndef HYBRIDSERVE_CLIENT_OPENAI_TOKEN_TEXTS_H_
#define HYBRIDSERVE_CLIENT_OPENAI_TOKEN_TEXTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/openai/call_metadata.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"

namespace hybridserve::openai {

// What a model's tokens say, asked of the server for one HTTP request.
// Thread-compatible.
class TokenTexts {
 public:
  // `stub` outlives this.
  TokenTexts(v1::InferenceService::Stub& stub, CallMetadata metadata,
             std::string model);

  // Of one token alone, special ones too; the bytes of an incomplete character
  // are U+FFFD. Asks once a token.
  absl::StatusOr<std::string> Of(uint32_t token_id);

  // Asks for those of so many tokens at once, so that Of() has them.
  absl::Status Fetch(absl::Span<const uint32_t> token_ids);

  // Of a prompt, without special tokens.
  absl::StatusOr<std::string> OfAll(absl::Span<const int32_t> token_ids);

 private:
  absl::StatusOr<v1::DetokenizeResponse> Ask(v1::DetokenizeRequest request);

  v1::InferenceService::Stub& stub_;
  const CallMetadata metadata_;
  const std::string model_;
  absl::flat_hash_map<uint32_t, std::string> texts_;
};

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_TOKEN_TEXTS_H_
