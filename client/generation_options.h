#ifndef HYBRIDSERVE_CLIENT_GENERATION_OPTIONS_H_
#define HYBRIDSERVE_CLIENT_GENERATION_OPTIONS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hybridserve/v1/inference_service.pb.h"

namespace hybridserve {

// One request as the command line or a batch line gives it. What is unset is
// left to the server's (or the model's) default; the server checks values.
struct GenerationOptions {
  std::string model;                  // Empty: the server's only one.
  std::optional<std::string> prompt;  // Otherwise `token_ids`.
  std::vector<int32_t> token_ids;
  std::optional<int64_t> max_tokens;
  std::optional<int64_t> min_tokens;
  std::optional<int64_t> priority;
  std::optional<double> temperature;
  std::optional<int64_t> top_k;
  std::optional<double> top_p;
  std::optional<double> presence_penalty;
  std::optional<double> frequency_penalty;
  std::optional<double> repetition_penalty;
  std::map<uint32_t, double> logit_bias;  // By token id.
  std::optional<uint64_t> seed;
  std::vector<std::string> stop;
  bool ignore_eos = false;
  bool log_probs = false;
  int64_t top_log_probs = 0;    // How many of the likeliest tokens, a place.
  bool model_defaults = false;  // --generation_config=model
};

// Numbers that the protocol's fields cannot hold become the nearest that they
// can, which the server refuses by the field's name.
hybridserve::v1::GenerateRequest ToRequest(const GenerationOptions& options);
hybridserve::v1::GenerateStreamRequest ToStreamRequest(
    const GenerationOptions& options);

// "stop", "length", "cancelled".
absl::string_view Name(hybridserve::v1::FinishReason reason);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_CLIENT_GENERATION_OPTIONS_H_
