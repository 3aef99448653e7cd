#ifndef HYBRIDSERVE_COMMON_GENERATION_CONFIG_H_
#define HYBRIDSERVE_COMMON_GENERATION_CONFIG_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hybridserve {

// How a model's authors would have it sampled: generation_config.json. Unset
// fields are absent there. As in transformers, temperature, top_k and top_p
// mean something only where do_sample is true; repetition_penalty always does.
struct GenerationConfig {
  std::optional<bool> do_sample;
  std::optional<double> temperature;         // > 0, finite.
  std::optional<int64_t> top_k;              // >= 0; 0: the whole vocabulary.
  std::optional<double> top_p;               // (0, 1].
  std::optional<double> repetition_penalty;  // > 0, finite.
  std::optional<int64_t> max_new_tokens;
  std::vector<int64_t> eos_token_ids;  // Empty: config.json's.
};

// Reads the file's text, from an untrusted source. InvalidArgument naming
// generation_config.json and the field.
absl::StatusOr<GenerationConfig> ParseGenerationConfig(absl::string_view json);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_COMMON_GENERATION_CONFIG_H_
