#ifndef HYBRIDSERVE_CLIENT_OPENAI_CHOICE_PLAN_H_
#define HYBRIDSERVE_CLIENT_OPENAI_CHOICE_PLAN_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/openai/completion_request.h"
#include "client/openai/generation_fields.h"
#include "hybridserve/v1/inference_service.pb.h"

namespace hybridserve::openai {

// The server's requests that a body stands for: n for each prompt, those of one
// prompt next to each other, as OpenAI numbers choices. InvalidArgument if they
// are too many, or too large together.
absl::StatusOr<std::vector<v1::GenerateStreamRequest>> PlanChoices(
    const GenerationFields& fields, absl::Span<const Prompt> prompts);

}  // namespace hybridserve::openai

#endif  // HYBRIDSERVE_CLIENT_OPENAI_CHOICE_PLAN_H_
