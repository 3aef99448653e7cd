#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/reference_ops.h"

namespace hybridserve {

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
