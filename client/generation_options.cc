#include "client/generation_options.h"

#include <algorithm>
#include <limits>

namespace hybridserve {
namespace {

template <typename Field>
Field Clamp(int64_t value) {
  return static_cast<Field>(
      std::clamp<int64_t>(value, std::numeric_limits<Field>::min(),
                          std::numeric_limits<Field>::max()));
}

// Both requests have the same fields, in two messages.
template <typename Request>
Request Fill(const GenerationOptions& options) {
  Request request;
  request.set_model(options.model);
  if (options.priority) request.set_priority(Clamp<int32_t>(*options.priority));
  if (options.prompt.has_value()) {
    request.set_prompt(*options.prompt);
  } else {
    for (int32_t id : options.token_ids) {
      request.mutable_token_ids()->add_ids(static_cast<uint32_t>(id));
    }
  }
  auto& sampling = *request.mutable_sampling();
  if (options.temperature) sampling.set_temperature(*options.temperature);
  if (options.top_p) sampling.set_top_p(*options.top_p);
  if (options.top_k) sampling.set_top_k(Clamp<int32_t>(*options.top_k));
  if (options.presence_penalty) {
    sampling.set_presence_penalty(*options.presence_penalty);
  }
  if (options.frequency_penalty) {
    sampling.set_frequency_penalty(*options.frequency_penalty);
  }
  if (options.repetition_penalty) {
    sampling.set_repetition_penalty(*options.repetition_penalty);
  }
  for (const auto& [id, bias] : options.logit_bias) {
    (*sampling.mutable_logit_bias())[id] = bias;
  }
  if (options.seed) sampling.set_seed(*options.seed);
  auto& stopping = *request.mutable_stopping();
  if (options.max_tokens) {
    stopping.set_max_tokens(Clamp<uint32_t>(*options.max_tokens));
  }
  if (options.min_tokens) {
    stopping.set_min_tokens(Clamp<uint32_t>(*options.min_tokens));
  }
  for (const std::string& text : options.stop) {
    stopping.add_conditions()->set_text(text);
  }
  stopping.set_ignore_eos(options.ignore_eos);
  request.mutable_response()->set_log_probs(options.log_probs);
  request.mutable_response()->set_top_log_probs(
      Clamp<uint32_t>(options.top_log_probs));
  request.set_generation_config(options.model_defaults
                                    ? hybridserve::v1::GENERATION_CONFIG_MODEL
                                    : hybridserve::v1::GENERATION_CONFIG_NONE);
  return request;
}

}  // namespace

hybridserve::v1::GenerateRequest ToRequest(const GenerationOptions& options) {
  return Fill<hybridserve::v1::GenerateRequest>(options);
}

hybridserve::v1::GenerateStreamRequest ToStreamRequest(
    const GenerationOptions& options) {
  return Fill<hybridserve::v1::GenerateStreamRequest>(options);
}

absl::string_view Name(hybridserve::v1::FinishReason reason) {
  switch (reason) {
    case hybridserve::v1::FINISH_REASON_STOP:
      return "stop";
    case hybridserve::v1::FINISH_REASON_LENGTH:
      return "length";
    case hybridserve::v1::FINISH_REASON_CANCELLED:
      return "cancelled";
    default:
      return "unspecified";
  }
}

}  // namespace hybridserve
