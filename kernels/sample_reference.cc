#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/reference_ops.h"

namespace hybridserve {

std::vector<float> LogitChangeReference(absl::Span<const float> logits,
                                        absl::Span<const LogitChange> changes,
                                        double repetition_penalty) {
  std::vector<float> changed(logits.begin(), logits.end());
  for (const LogitChange& change : changes) {
    double factor = 1;
    if (change.is_repeated) {
      factor =
          logits[change.id] > 0 ? 1 / repetition_penalty : repetition_penalty;
    }
    changed[change.id] =
        static_cast<float>(logits[change.id] * factor + change.plus);
  }
  return changed;
}

std::vector<double> SampleReference(absl::Span<const float> logits,
                                    const SamplingParams& params) {
  std::vector<int64_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::stable_sort(ids.begin(), ids.end(),
                   [&](int64_t a, int64_t b) { return logits[a] > logits[b]; });
  if (params.top_k > 0 && params.top_k < static_cast<int64_t>(ids.size())) {
    ids.resize(params.top_k);
  }
  std::vector<double> probabilities(logits.size());
  double total = 0;
  for (const int64_t id : ids) {
    probabilities[id] =
        std::exp((logits[id] - logits[ids[0]]) / params.temperature);
    total += probabilities[id];
  }
  double kept = 0;
  for (const int64_t id : ids) {
    if (kept >= params.top_p * total) probabilities[id] = 0;
    kept += probabilities[id];
  }
  for (double& probability : probabilities) probability /= kept;
  return probabilities;
}

}  // namespace hybridserve
