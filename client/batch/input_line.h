#ifndef HYBRIDSERVE_CLIENT_BATCH_INPUT_LINE_H_
#define HYBRIDSERVE_CLIENT_BATCH_INPUT_LINE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace hybridserve {

// Sampling fields that a line may set; unset ones take the command's flags.
struct LineOptions {
  std::optional<int64_t> max_tokens;
  std::optional<int64_t> min_tokens;
  std::optional<int64_t> priority;
  std::optional<double> temperature;
  std::optional<int64_t> top_k;
  std::optional<double> top_p;
  std::optional<double> presence_penalty;
  std::optional<double> frequency_penalty;
  std::optional<double> repetition_penalty;
  std::map<uint32_t, double> logit_bias;
  std::optional<uint64_t> seed;
  std::optional<bool> ignore_eos;
  std::optional<std::string> model;
  std::vector<std::string> stop;
};

// One line of a batch file, or what is wrong with it.
struct InputLine {
  int64_t number = 0;   // From 1; the key by which a job resumes.
  nlohmann::json id;    // As given; null if absent or unreadable.
  absl::Status status;  // InvalidArgument naming the field; then no request.
  std::optional<std::string> prompt;  // Exactly one of these two.
  std::vector<int32_t> token_ids;
  LineOptions options;
};

// Reads {"id","prompt"|"token_ids"} with optional max_tokens, min_tokens,
// priority, temperature, top_k, top_p, presence_penalty, frequency_penalty,
// repetition_penalty, logit_bias (numbers by id), seed, stop (string or list),
// ignore_eos, model.
// Never fails: what is wrong is in `status`. Unknown fields are wrong, so that
// a misspelt option is not silently dropped.
InputLine ParseInputLine(int64_t number, absl::string_view text);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_BATCH_INPUT_LINE_H_
