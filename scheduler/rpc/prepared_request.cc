#include "scheduler/rpc/prepared_request.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "hybridserve/v1/generation.pb.h"
#include "hybridserve/v1/inference_service.pb.h"
#include "scheduler/rpc/call_identity.h"

namespace hybridserve {
namespace {

constexpr int64_t kDefaultMaxTokens = 128;
constexpr int64_t kMaxPriority = 100;
// transformers' own default where a config samples and names no top_k.
constexpr int64_t kTransformersTopK = 50;

// A text can be shorter in tokens than its bytes let expect: white space that
// an added token or the normalizer swallows. Up to so much of it.
constexpr int64_t kTextSlack = 4;
constexpr int64_t kAlwaysTokenizedBytes = 64 << 10;

// Texts above are too long for the model, and need no tokenizing to know it.
int64_t LongestText(const ServedModel& model, const Tokenizer& tokenizer) {
  // Both are far below 2^31.
  const int64_t most =
      kTextSlack * model.config.max_positions * tokenizer.longest_token_bytes();
  return std::min(kMaxTextBytes, std::max(kAlwaysTokenizedBytes, most));
}

uint64_t RandomNumber() {
  absl::BitGen bits;
  return absl::Uniform<uint64_t>(bits);
}

absl::StatusOr<std::string> RequestIdOf(const std::string& given) {
  if (given.empty()) return MakeRequestId();
  if (!IsRequestId(given)) {
    return InvalidFieldError("request_id",
                             absl::StrCat("is not 1 to ", kMaxRequestIdBytes,
                                          " bytes of printable ASCII"));
  }
  return given;
}

absl::StatusOr<int32_t> TokenOf(absl::string_view field, uint32_t id,
                                const ServedModel& model) {
  if (id < model.config.vocab_size) return static_cast<int32_t>(id);
  return InvalidFieldError(
      field, absl::StrCat("id ", id, " is outside of the vocabulary of ",
                          model.config.vocab_size));
}

absl::StatusOr<std::vector<int32_t>> IdsOf(const v1::TokenIds& ids,
                                           const ServedModel& model) {
  if (ids.ids().empty()) return InvalidFieldError("token_ids", "is empty");
  if (ids.ids_size() > model.config.max_positions) {
    return InvalidFieldError(
        "prompt",
        absl::StrCat("has ", ids.ids_size(), " tokens; the model takes ",
                     model.config.max_positions));
  }
  std::vector<int32_t> result;
  result.reserve(ids.ids_size());
  for (const uint32_t id : ids.ids()) {
    ASSIGN_OR_RETURN(result.emplace_back(), TokenOf("token_ids", id, model));
  }
  return result;
}

absl::StatusOr<std::vector<int32_t>> Tokenize(absl::string_view field,
                                              const std::string& text,
                                              const ServedModel& model) {
  ASSIGN_OR_RETURN(const Tokenizer* const tokenizer, TokenizerOf(model));
  const int64_t longest = LongestText(model, *tokenizer);
  if (static_cast<int64_t>(text.size()) > longest) {
    return InvalidFieldError(
        field, absl::StrCat("is ", text.size(), " bytes; the model takes ",
                            model.config.max_positions,
                            " tokens, which are at most ", longest));
  }
  absl::StatusOr<std::vector<int32_t>> ids =
      tokenizer->Encode(text, /*add_special_tokens=*/true);
  if (absl::IsInvalidArgument(ids.status())) {
    return InvalidFieldError(field, ids.status().message());
  }
  if (ids.ok() && ids->empty()) {
    return InvalidFieldError(field, "is empty, and the tokenizer adds nothing");
  }
  return ids;
}

// Defaults first, then what the request sets.
SamplingParams SamplingOf(const v1::GenerateRequest& request,
                          const ServedModel& model) {
  SamplingParams params;
  const GenerationConfig& config = model.generation_config;
  if (request.generation_config() == v1::GENERATION_CONFIG_MODEL) {
    params.repetition_penalty = config.repetition_penalty.value_or(1);
    if (config.do_sample.value_or(false)) {
      params.temperature = config.temperature.value_or(1);
      params.top_k = std::min(config.top_k.value_or(kTransformersTopK),
                              model.config.vocab_size);
      params.top_p = config.top_p.value_or(1);
    }
  }
  const v1::SamplingParams& sampling = request.sampling();
  if (sampling.has_temperature()) params.temperature = sampling.temperature();
  if (sampling.has_top_k()) params.top_k = sampling.top_k();
  if (sampling.has_top_p()) params.top_p = sampling.top_p();
  if (sampling.has_presence_penalty()) {
    params.presence_penalty = sampling.presence_penalty();
  }
  if (sampling.has_frequency_penalty()) {
    params.frequency_penalty = sampling.frequency_penalty();
  }
  if (sampling.has_repetition_penalty()) {
    params.repetition_penalty = sampling.repetition_penalty();
  }
  params.seed = sampling.has_seed() ? sampling.seed() : RandomNumber();
  params.want_log_prob = request.response().log_probs();
  params.top_log_probs = request.response().top_log_probs();
  return params;
}

// Ascending, as the core wants them. Ids are in the vocabulary; how many there
// are and their values are the core's to check.
absl::StatusOr<std::vector<LogitBias>> LogitBiasOf(
    const v1::SamplingParams& sampling, const ServedModel& model) {
  std::vector<LogitBias> biases;
  for (const auto& [id, bias] : sampling.logit_bias()) {
    ASSIGN_OR_RETURN(const int32_t token,
                     TokenOf("sampling.logit_bias", id, model));
    biases.push_back({.token = token, .bias = bias});
  }
  std::sort(biases.begin(), biases.end());
  return biases;
}

// The model's own limit on the output, or 128; at least one token is asked
// for, so that a prompt that is too long is refused and named by the core.
int64_t DefaultMaxTokens(const v1::GenerateRequest& request,
                         const ServedModel& model, int64_t prompt_tokens) {
  int64_t tokens = kDefaultMaxTokens;
  if (request.generation_config() == v1::GENERATION_CONFIG_MODEL) {
    tokens = model.generation_config.max_new_tokens.value_or(tokens);
  }
  return std::max<int64_t>(
      1, std::min(tokens, model.config.max_positions - prompt_tokens));
}

absl::Status AddStopConditions(const v1::StoppingOptions& stopping,
                               PreparedRequest& prepared) {
  if (stopping.conditions_size() > kMaxStopConditions) {
    return InvalidFieldError(
        "stopping.conditions",
        absl::StrCat("has ", stopping.conditions_size(), " entries; at most ",
                     kMaxStopConditions));
  }
  for (int i = 0; i < stopping.conditions_size(); ++i) {
    const std::string field = absl::StrCat("stopping.conditions[", i, "]");
    const v1::StopCondition& condition = stopping.conditions(i);
    switch (condition.condition_case()) {
      case v1::StopCondition::kText:
        if (condition.text().empty()) {
          return InvalidFieldError(absl::StrCat(field, ".text"), "is empty");
        }
        if (condition.text().size() > kMaxStopTextBytes) {
          return InvalidFieldError(
              absl::StrCat(field, ".text"),
              absl::StrCat("is ", condition.text().size(), " bytes; at most ",
                           kMaxStopTextBytes));
        }
        prepared.stop_texts.push_back(condition.text());
        break;
      case v1::StopCondition::kTokenId: {
        ASSIGN_OR_RETURN(prepared.request.stop_token_ids.emplace_back(),
                         TokenOf(absl::StrCat(field, ".token_id"),
                                 condition.token_id(), *prepared.model));
        break;
      }
      case v1::StopCondition::CONDITION_NOT_SET:
        return InvalidFieldError(field, "is not set");
    }
  }
  return absl::OkStatus();
}

// generation_config.json may name more end tokens than config.json does.
void AddEndTokens(PreparedRequest& prepared) {
  if (prepared.request.ignore_eos) return;
  for (const int64_t id : prepared.model->generation_config.eos_token_ids) {
    if (id >= 0 && id < prepared.model->config.vocab_size) {
      prepared.request.stop_token_ids.push_back(static_cast<int32_t>(id));
    }
  }
}

// What GenerateRequest and ScoreRequest have in common.
template <typename Request>
absl::StatusOr<PreparedRequest> Start(const Request& request,
                                      const ServedModels& models) {
  PreparedRequest prepared;
  ASSIGN_OR_RETURN(prepared.request.request_id,
                   RequestIdOf(request.request_id()));
  ASSIGN_OR_RETURN(prepared.model, models.Find(request.model()));
  prepared.request.model = prepared.model->name;
  if (std::abs(int64_t{request.priority()}) > kMaxPriority) {
    return InvalidFieldError(
        "priority", absl::StrCat(request.priority(), " is not in [",
                                 -kMaxPriority, ", ", kMaxPriority, "]"));
  }
  prepared.request.priority = request.priority();
  return prepared;
}

}  // namespace

absl::StatusOr<PreparedRequest> PrepareGenerate(
    const v1::GenerateRequest& request, const ServedModels& models) {
  ASSIGN_OR_RETURN(PreparedRequest prepared, Start(request, models));
  const ServedModel& model = *prepared.model;
  GenerationRequest& core = prepared.request;
  switch (request.input_case()) {
    case v1::GenerateRequest::kPrompt: {
      ASSIGN_OR_RETURN(core.prompt,
                       Tokenize("prompt", request.prompt(), model));
      break;
    }
    case v1::GenerateRequest::kTokenIds: {
      ASSIGN_OR_RETURN(core.prompt, IdsOf(request.token_ids(), model));
      break;
    }
    case v1::GenerateRequest::INPUT_NOT_SET:
      return InvalidFieldError("prompt", "neither prompt nor token_ids is set");
  }
  if (!v1::GenerationConfig_IsValid(request.generation_config())) {
    return InvalidFieldError(
        "generation_config",
        absl::StrCat("unknown value ", request.generation_config()));
  }
  core.sampling = SamplingOf(request, model);
  ASSIGN_OR_RETURN(core.sampling.logit_bias,
                   LogitBiasOf(request.sampling(), model));
  const v1::StoppingOptions& stopping = request.stopping();
  core.ignore_eos = stopping.ignore_eos();
  core.min_tokens = stopping.min_tokens();
  prepared.max_tokens_is_default = !stopping.has_max_tokens();
  core.max_tokens =
      stopping.has_max_tokens()
          ? stopping.max_tokens()
          : DefaultMaxTokens(request, model,
                             static_cast<int64_t>(core.prompt.size()));
  RETURN_IF_ERROR(AddStopConditions(stopping, prepared));
  AddEndTokens(prepared);
  return prepared;
}

absl::StatusOr<PreparedRequest> PrepareScore(const v1::ScoreRequest& request,
                                             const ServedModels& models) {
  ASSIGN_OR_RETURN(PreparedRequest prepared, Start(request, models));
  std::vector<int32_t>& ids = prepared.request.prompt;
  absl::string_view field = "token_ids";
  switch (request.input_case()) {
    case v1::ScoreRequest::kText: {
      field = "text";
      ASSIGN_OR_RETURN(ids, Tokenize(field, request.text(), *prepared.model));
      break;
    }
    case v1::ScoreRequest::kTokenIds: {
      ASSIGN_OR_RETURN(ids, IdsOf(request.token_ids(), *prepared.model));
      break;
    }
    case v1::ScoreRequest::INPUT_NOT_SET:
      return InvalidFieldError("text", "neither text nor token_ids is set");
  }
  if (ids.size() < 2) {
    return InvalidFieldError(field, "has one token; scoring takes two");
  }
  // Each but the first is scored, given those before it.
  prepared.request.score_targets.assign(ids.begin() + 1, ids.end());
  prepared.request.score_targets.push_back(-1);
  return prepared;
}

}  // namespace hybridserve
