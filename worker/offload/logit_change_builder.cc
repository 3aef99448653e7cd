#include "worker/offload/logit_change_builder.h"

#include <cstddef>

#include "glog/logging.h"

namespace hybridserve {

std::vector<LogitChange> LogitChangeBuilder::Build(
    absl::Span<const int32_t> tokens, int32_t num_prompt,
    const SamplingParams& params) {
  const auto prompt_end = static_cast<size_t>(num_prompt);
  CHECK_LE(prompt_end, tokens.size());
  std::vector<LogitChange> changes;
  std::vector<double> plus;  // A change.
  const auto index_of = [&](int32_t id) {
    CHECK_LT(static_cast<size_t>(id), indices_.size());
    int32_t& index = indices_[id];
    if (index == kNone) {
      index = static_cast<int32_t>(changes.size());
      changes.push_back({.id = id});
      plus.push_back(0);
    }
    return index;
  };

  const bool takes_prompt = params.repetition_penalty != 1;
  const bool takes_output = takes_prompt || params.has_output_penalty();
  const size_t end = takes_output ? tokens.size() : 0;
  std::vector<int32_t> counts;  // In the output, a change.
  for (size_t i = takes_prompt ? 0 : prompt_end; i < end; ++i) {
    const int32_t index = index_of(tokens[i]);
    counts.resize(changes.size());
    changes[index].is_repeated = true;
    if (i >= prompt_end) ++counts[index];
  }
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    plus[i] = -(counts[i] * params.frequency_penalty + params.presence_penalty);
  }
  for (const LogitBias& bias : params.logit_bias) {
    plus[index_of(bias.token)] += bias.bias;
  }
  for (size_t i = 0; i < changes.size(); ++i) {
    changes[i].plus = static_cast<float>(plus[i]);
    indices_[changes[i].id] = kNone;
  }
  return changes;
}

}  // namespace hybridserve
