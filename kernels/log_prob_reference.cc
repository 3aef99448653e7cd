#include <algorithm>
#include <cmath>

#include "kernels/reference_ops.h"

namespace hybridserve {

std::vector<double> LogProbReference(absl::Span<const float> logits) {
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - max);
  std::vector<double> log_probs;
  for (const float logit : logits) {
    log_probs.push_back(logit - max - std::log(sum));
  }
  return log_probs;
}

}  // namespace hybridserve
