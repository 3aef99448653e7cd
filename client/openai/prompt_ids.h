#ifndef HYBRIDSERVE_CLIENT_OPENAI_PROMPT_IDS_H_
#define HYBRIDSERVE_CLIENT_OPENAI_PROMPT_IDS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/openai/call_metadata.h"
#include "client/openai/completion_request.h"
#include "hybridserve/v1/inference_service.grpc.pb.h"

namespace hybridserve::openai {

// The token ids that `model` sees for a prompt. A text gets the special tokens
// that it gets as a prompt; the server is asked, and its error is returned.
absl::StatusOr<v1::TokenIds> PromptIds(v1::InferenceService::Stub& stub,
                                       const CallMetadata& metadata,
                                       absl::Time deadline,
                                       const std::string& model,
                                       const Prompt& prompt);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_PROMPT_IDS_H_
