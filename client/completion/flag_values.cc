#include "client/completion/flag_values.h"

#include <algorithm>
#include <iterator>

namespace hybridserve {
namespace {

using Kind = FlagValues::Kind;

constexpr absl::string_view kFiles[] = {
    "api_key_file",    "config",  "input",  "json",
    "output_file",     "profile", "svg",    "trace",
    "tls_certificate", "tls_ca",  "tls_key"};

struct Choices {
  absl::string_view name;
  FlagValues values;
};

const std::vector<Choices>& AllChoices() {
  static const auto* const choices = new std::vector<Choices>{
      {"act_ratio", {Kind::kChoice, {"auto", "0", "0.5", "1"}}},
      {"batch", {Kind::kChoice, {"auto"}}},
      {"device", {Kind::kChoice, {"auto", "cpu", "cuda"}}},
      {"device_memory", {Kind::kChoice, {"auto", "min"}}},
      {"dtype", {Kind::kChoice, {"auto", "float32", "bfloat16", "float16"}}},
      {"expected_output", {Kind::kChoice, {"auto"}}},
      {"flexgen_relay", {Kind::kChoice, {"true", "false"}}},
      {"generation_config", {Kind::kChoice, {"none", "model"}}},
      {"host_memory", {Kind::kChoice, {"auto"}}},
      {"log_format", {Kind::kChoice, {"text", "json"}}},
      {"log_level", {Kind::kChoice, {"info", "warning", "error"}}},
      {"output", {Kind::kChoice, {"text", "json"}}},
      {"policies",
       {Kind::kChoices,
        {"hybrid", "kv", "act", "recompute", "flexgen", "resident"}}},
      {"policy",
       {Kind::kChoice,
        {"hybrid", "kv", "act", "recompute", "flexgen", "resident"}}},
      {"resident_weights", {Kind::kChoice, {"auto", "0", "100"}}},
  };
  return *choices;
}

}  // namespace

FlagValues ValuesOfFlag(absl::string_view name) {
  if (name == "model_dir") return {Kind::kFolder, {}};
  if (std::find(std::begin(kFiles), std::end(kFiles), name) !=
      std::end(kFiles)) {
    return {Kind::kFile, {}};
  }
  for (const Choices& choices : AllChoices()) {
    if (choices.name == name) return choices.values;
  }
  return {};
}

}  // namespace hybridserve
