// Sampling in double precision, one row at a time.
//
// The draw walks the candidates from the most probable down when they were
// ranked for top_k or top_p, else in order of ids: sorting a whole vocabulary
// for every token would cost more than a small model's layer. top_p ranks only
// as many candidates as it needs, in growing batches; the batch sizes cannot
// show in the result, since ranks and the total do not depend on them.

#include "kernels/sample_cpu.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "glog/logging.h"
#include "kernels/philox.h"

namespace hybridserve {
namespace {

struct Candidate {
  double weight;  // e^((logit - max) / temperature).
  float logit;
  int32_t id;
};

bool RanksBefore(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

// Sorts the `count` best of `candidates`, whose first `ranked` are so already,
// to the front.
void Rank(std::vector<Candidate>& candidates, int64_t ranked, int64_t count) {
  const auto begin = candidates.begin() + ranked;
  const auto middle = candidates.begin() + count;
  if (middle != candidates.end()) {
    std::nth_element(begin, middle, candidates.end(), RanksBefore);
  }
  std::sort(begin, middle, RanksBefore);
}

double TotalWeight(const std::vector<Candidate>& candidates) {
  double total = 0;
  for (const Candidate& candidate : candidates) total += candidate.weight;
  return total;
}

// Keeps the fewest best whose share reaches `top_p`.
void KeepTopP(std::vector<Candidate>& candidates, double top_p, bool ranked) {
  const double wanted = top_p * TotalWeight(candidates);
  const int64_t all = static_cast<int64_t>(candidates.size());
  int64_t sorted = ranked ? all : 0;
  int64_t batch = 64;
  double sum = 0;
  for (int64_t i = 0; i < all; ++i) {
    if (i == sorted) {
      const int64_t next = std::min(all, sorted + batch);
      Rank(candidates, sorted, next);
      sorted = next;
      batch *= 8;
    }
    sum += candidates[i].weight;
    if (sum >= wanted) {
      candidates.resize(i + 1);
      return;
    }
  }
  // Rounding kept the sum short of the total: everything stays, ranked.
}

}  // namespace

void ApplyLogitChanges(absl::Span<const LogitChange> changes,
                       double repetition_penalty, absl::Span<float> logits) {
  for (const LogitChange& change : changes) {
    float& logit = logits[change.id];
    if (change.is_repeated) {
      const double given = logit;
      logit = static_cast<float>(given > 0 ? given / repetition_penalty
                                           : given * repetition_penalty);
    }
    logit += change.plus;
  }
}

std::vector<int32_t> TopIds(absl::Span<const float> logits, int64_t count) {
  std::vector<Candidate> best;
  for (size_t i = 0; i < logits.size(); ++i) {
    const Candidate candidate = {0, logits[i], static_cast<int32_t>(i)};
    const bool is_full = static_cast<int64_t>(best.size()) == count;
    if (std::isnan(candidate.logit) ||
        (is_full && (best.empty() || !RanksBefore(candidate, best.back())))) {
      continue;
    }
    if (is_full) best.pop_back();
    best.insert(
        std::upper_bound(best.begin(), best.end(), candidate, RanksBefore),
        candidate);
  }
  std::vector<int32_t> ids;
  ids.reserve(best.size());
  for (const Candidate& candidate : best) ids.push_back(candidate.id);
  return ids;
}

int32_t ArgMax(absl::Span<const float> logits) {
  CHECK(!logits.empty());
  int32_t best = 0;
  float highest = -std::numeric_limits<float>::infinity();
  bool found = false;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i]) || (found && !(logits[i] > highest))) continue;
    best = static_cast<int32_t>(i);
    highest = logits[i];
    found = true;
  }
  return best;
}

int32_t SampleToken(absl::Span<const float> logits,
                    const SamplingParams& params, int64_t position) {
  const int32_t best = ArgMax(logits);
  const double max = logits[best];
  if (!(params.temperature > 0) || params.top_k == 1 || !std::isfinite(max)) {
    return best;
  }
  std::vector<Candidate> candidates;
  candidates.reserve(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i])) continue;
    const double weight = std::exp((logits[i] - max) / params.temperature);
    candidates.push_back({weight, logits[i], static_cast<int32_t>(i)});
  }
  const bool has_top_k = params.top_k > 0 &&
                         params.top_k < static_cast<int64_t>(candidates.size());
  if (has_top_k) {
    Rank(candidates, 0, params.top_k);
    candidates.resize(params.top_k);
  }
  if (params.top_p < 1) KeepTopP(candidates, params.top_p, has_top_k);

  const double draw =
      UniformAt(params.seed, position) * TotalWeight(candidates);
  double sum = 0;
  for (const Candidate& candidate : candidates) {
    sum += candidate.weight;
    if (draw < sum) return candidate.id;
  }
  // draw < total, so rounding alone leads here; weights of 0 do not count.
  return best;
}

}  // namespace hybridserve
