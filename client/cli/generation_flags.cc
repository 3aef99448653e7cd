#include "client/cli/generation_flags.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "client/cli/shared_flags.h"
#include "common/flag_error.h"
#include "common/repeated_text.h"
#include "common/status_macros.h"

ABSL_FLAG(std::optional<int64_t>, max_tokens, std::nullopt,
          "Most tokens to generate (128, or what the model's limit leaves).");
ABSL_FLAG(std::optional<int64_t>, min_tokens, std::nullopt,
          "Go on after end tokens until there are so many (0).");
ABSL_FLAG(std::optional<int64_t>, priority, std::nullopt,
          "From -100 to 100: of your own requests that wait, those with larger "
          "numbers go first (0).");
ABSL_FLAG(std::optional<double>, temperature, std::nullopt,
          "0 (default): always the likeliest token. Higher: more variety.");
ABSL_FLAG(std::optional<int64_t>, top_k, std::nullopt,
          "Draw from the k likeliest tokens only. 0: from all.");
ABSL_FLAG(std::optional<double>, top_p, std::nullopt,
          "Draw from the likeliest tokens that sum up to p only.");
ABSL_FLAG(std::optional<double>, presence_penalty, std::nullopt,
          "From -2 to 2: makes tokens that are in the output less likely (0).");
ABSL_FLAG(std::optional<double>, frequency_penalty, std::nullopt,
          "From -2 to 2: the same, for each time that they are (0).");
ABSL_FLAG(
    std::optional<double>, repetition_penalty, std::nullopt,
    "Above 1: makes tokens of the prompt and the output less likely (1).");
ABSL_FLAG(hybridserve::RepeatedText, logit_bias, {},
          "ID:NUMBER, what a token's logit gains: from -100 (all but forbids "
          "it) to 100. May be repeated.");
ABSL_FLAG(hybridserve::RepeatedText, stop, {},
          "Text that ends the output where it begins. May be repeated.");
ABSL_FLAG(bool, ignore_eos, false, "Go on after the model's end token.");
ABSL_FLAG(bool, logprobs, false, "generate: show each token's log-prob.");
ABSL_FLAG(
    int64_t, top_logprobs, 0,
    "generate: show so many of the likeliest tokens in each place, at most "
    "20, with their log-probs.");
ABSL_FLAG(std::string, generation_config, "none",
          "Where unset sampling fields come from: none (greedy) or model (its "
          "generation_config.json).");

namespace hybridserve {

namespace {

absl::StatusOr<std::map<uint32_t, double>> LogitBiasFromFlags() {
  std::map<uint32_t, double> biases;
  for (const std::string& text : absl::GetFlag(FLAGS_logit_bias).values) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(text, absl::MaxSplits(':', 1));
    uint32_t id = 0;
    double bias = 0;
    if (!absl::SimpleAtoi(parts.first, &id) ||
        !absl::SimpleAtod(parts.second, &bias)) {
      return WrongFlag("logit_bias",
                       absl::StrCat("must be ID:NUMBER; is ", text));
    }
    if (!biases.emplace(id, bias).second) {
      return WrongFlag("logit_bias", absl::StrCat("names ", id, " twice"));
    }
  }
  return biases;
}

}  // namespace

absl::StatusOr<GenerationOptions> GenerationFromFlags() {
  GenerationOptions options;
  options.model = absl::GetFlag(FLAGS_model);
  options.max_tokens = absl::GetFlag(FLAGS_max_tokens);
  options.min_tokens = absl::GetFlag(FLAGS_min_tokens);
  options.priority = absl::GetFlag(FLAGS_priority);
  options.temperature = absl::GetFlag(FLAGS_temperature);
  options.top_k = absl::GetFlag(FLAGS_top_k);
  options.top_p = absl::GetFlag(FLAGS_top_p);
  options.presence_penalty = absl::GetFlag(FLAGS_presence_penalty);
  options.frequency_penalty = absl::GetFlag(FLAGS_frequency_penalty);
  options.repetition_penalty = absl::GetFlag(FLAGS_repetition_penalty);
  ASSIGN_OR_RETURN(options.logit_bias, LogitBiasFromFlags());
  options.seed = absl::GetFlag(FLAGS_seed);
  options.stop = absl::GetFlag(FLAGS_stop).values;
  options.ignore_eos = absl::GetFlag(FLAGS_ignore_eos);
  options.log_probs = absl::GetFlag(FLAGS_logprobs);
  options.top_log_probs = absl::GetFlag(FLAGS_top_logprobs);
  const std::string config = absl::GetFlag(FLAGS_generation_config);
  if (config != "none" && config != "model") {
    return WrongFlag("generation_config", "must be none or model");
  }
  options.model_defaults = config == "model";
  return options;
}

}  // namespace hybridserve
