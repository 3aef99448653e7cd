#include "client/openai/choice_plan.h"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "client/generation_options.h"
#include "client/openai/choice_seed.h"
#include "common/status_details.h"

namespace hybridserve::openai {
namespace {

constexpr int64_t kMaxChoices = 1024;
constexpr int64_t kMaxBytes = int64_t{64} << 20;

int64_t BytesOf(const Prompt& prompt) {
  if (const auto* text = std::get_if<std::string>(&prompt)) {
    return static_cast<int64_t>(text->size());
  }
  return static_cast<int64_t>(sizeof(int32_t) *
                              std::get<std::vector<int32_t>>(prompt).size());
}

}  // namespace

absl::StatusOr<std::vector<v1::GenerateStreamRequest>> PlanChoices(
    const GenerationFields& fields, absl::Span<const Prompt> prompts) {
  const int64_t n = fields.choices_of_prompt;
  int64_t bytes = 0;
  for (const Prompt& prompt : prompts) bytes += n * BytesOf(prompt);
  if (n * static_cast<int64_t>(prompts.size()) > kMaxChoices ||
      bytes > kMaxBytes) {
    return InvalidFieldError(
        "n", absl::StrCat("times the prompts is more than ", kMaxChoices,
                          " choices or ", kMaxBytes, " bytes"));
  }
  std::vector<v1::GenerateStreamRequest> requests;
  for (const Prompt& prompt : prompts) {
    GenerationOptions options = fields.options;
    if (const auto* text = std::get_if<std::string>(&prompt)) {
      options.prompt = *text;
    } else {
      options.token_ids = std::get<std::vector<int32_t>>(prompt);
    }
    for (int64_t choice = 0; choice < n; ++choice) {
      if (fields.options.seed.has_value()) {
        options.seed = ChoiceSeed(*fields.options.seed, choice);
      }
      requests.push_back(ToStreamRequest(options));
    }
  }
  return requests;
}

}  // namespace hybridserve::openai
