#include "scheduler/policy/flexgen_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

// For given mini-batches both times are maxima of functions that are linear in
// the three shares (weights w, cache c, hidden h), and memory's bounds are
// linear too: a linear program in w, c, h and the two times. Its solution is a
// vertex, where five bounds meet; with the two times taken out, three of:
// shares at 0 or 1, a memory bound that is met, two of a maximum's functions
// that are equal. There are few enough of those planes to try every three,
// which needs no solver. The planes' coefficients are read off the model
// itself, by evaluating it where one share is 1, as it is linear.

namespace hybridserve {
namespace {

constexpr int kShares = 3;
using Point = std::array<double, kShares>;

// value(x) = at_zero + slope . x
struct Linear {
  double at_zero = 0;
  Point slope = {};
};

Linear operator-(const Linear& a, const Linear& b) {
  Linear difference = {.at_zero = a.at_zero - b.at_zero};
  for (int i = 0; i < kShares; ++i) {
    difference.slope[i] = a.slope[i] - b.slope[i];
  }
  return difference;
}

// `value` at the corners of a function that is linear.
template <typename Value>
Linear FitLinear(Value value) {
  Linear fitted = {.at_zero = value(Point{})};
  for (int i = 0; i < kShares; ++i) {
    Point unit = {};
    unit[i] = 1;
    fitted.slope[i] = value(unit) - fitted.at_zero;
  }
  return fitted;
}

// Where three functions are 0; nullopt if that is no point.
std::optional<Point> Meet(const Linear& a, const Linear& b, const Linear& c) {
  std::array<std::array<double, kShares + 1>, kShares> rows;
  const Linear* const planes[] = {&a, &b, &c};
  for (int i = 0; i < kShares; ++i) {
    double largest = 0;
    for (const double slope : planes[i]->slope) {
      largest = std::max(largest, std::abs(slope));
    }
    if (largest == 0) return std::nullopt;
    for (int j = 0; j < kShares; ++j) {
      rows[i][j] = planes[i]->slope[j] / largest;
    }
    rows[i][kShares] = -planes[i]->at_zero / largest;
  }
  for (int column = 0; column < kShares; ++column) {
    int pivot = column;
    for (int i = column + 1; i < kShares; ++i) {
      if (std::abs(rows[i][column]) > std::abs(rows[pivot][column])) pivot = i;
    }
    if (std::abs(rows[pivot][column]) < 1e-12) return std::nullopt;
    std::swap(rows[pivot], rows[column]);
    for (int i = 0; i < kShares; ++i) {
      if (i == column) continue;
      const double factor = rows[i][column] / rows[column][column];
      for (int j = column; j <= kShares; ++j) {
        rows[i][j] -= factor * rows[column][j];
      }
    }
  }
  Point point;
  for (int i = 0; i < kShares; ++i) point[i] = rows[i][kShares] / rows[i][i];
  return point;
}

class SharesProgram {
 public:
  SharesProgram(const FlexGenJob& job, const FlexGenHardware& hardware,
                FlexGenAttention attention, int64_t batch_sequences,
                int64_t num_batches, std::optional<double> weights)
      : job_(job),
        hardware_(hardware),
        attention_(attention),
        batch_sequences_(batch_sequences),
        num_batches_(num_batches),
        weights_(weights) {
    AddPlanes();
  }

  std::optional<FlexGenChoice> Solve() const {
    std::optional<FlexGenChoice> best;
    const size_t count = planes_.size();
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = i + 1; j < count; ++j) {
        for (size_t k = j + 1; k < count; ++k) {
          Consider(Meet(planes_[i], planes_[j], planes_[k]), best);
        }
      }
    }
    return best;
  }

 private:
  FlexGenPlacement At(const Point& point) const {
    return {.batch_sequences = batch_sequences_,
            .num_batches = num_batches_,
            .weights = point[0],
            .cache = point[1],
            .hidden = point[2]};
  }

  void AddPlanes() {
    for (int i = 0; i < kShares; ++i) {
      Linear share;
      share.slope[i] = 1;
      planes_.push_back(share);
      share.at_zero = i == 0 ? -weights_.value_or(1) : -1;
      planes_.push_back(share);
    }
    const auto peak = [this](auto member, double bound) {
      planes_.push_back(FitLinear([&](const Point& point) {
        return FlexGenPeak(job_, At(point)).*member - bound;
      }));
    };
    peak(&FlexGenMemory::device_prefill, hardware_.device_bytes);
    peak(&FlexGenMemory::device_decode, hardware_.device_bytes);
    peak(&FlexGenMemory::host_prefill, hardware_.host_bytes);
    peak(&FlexGenMemory::host_decode, hardware_.host_bytes);
    AddTimes();
  }

  // The functions that a time is the largest of come out one at a time with
  // all rates but theirs infinite.
  void AddTimes() {
    constexpr double kInfinite = 1e300;
    FlexGenHardware none = hardware_;
    for (double* const rate :
         {&none.to_device, &none.cache_to_host, &none.hidden_to_host,
          &none.prefill_matmul, &none.decode_matmul, &none.prefill_attention,
          &none.decode_attention, &none.host_attention}) {
      *rate = kInfinite;
    }
    const auto time = [this](const FlexGenHardware& hardware,
                             double FlexGenTimes::*member) {
      return FitLinear([&](const Point& point) {
        return PredictFlexGen(job_, hardware, attention_, At(point)).*member;
      });
    };
    FlexGenHardware loads = none;
    loads.to_device = hardware_.to_device;
    FlexGenHardware stores = none;
    stores.cache_to_host = hardware_.cache_to_host;
    stores.hidden_to_host = hardware_.hidden_to_host;
    FlexGenHardware computes = hardware_;
    computes.to_device = kInfinite;
    computes.cache_to_host = computes.hidden_to_host = kInfinite;
    const Linear load = time(loads, &FlexGenTimes::prefill_layer);
    const Linear store = time(stores, &FlexGenTimes::prefill_layer);
    const Linear compute = time(computes, &FlexGenTimes::prefill_layer);
    planes_.push_back(load - store);
    planes_.push_back(load - compute);
    planes_.push_back(store - compute);
    planes_.push_back(time(stores, &FlexGenTimes::decode_layer) -
                      time(computes, &FlexGenTimes::decode_layer));
  }

  void Consider(std::optional<Point> point,
                std::optional<FlexGenChoice>& best) const {
    if (!point.has_value()) return;
    for (double& share : *point) {
      if (!(share >= -1e-9 && share <= 1 + 1e-9)) return;
      share = std::clamp(share, 0.0, 1.0);
    }
    if (weights_.has_value()) {
      if (std::abs((*point)[0] - *weights_) > 1e-9) return;
      (*point)[0] = *weights_;
    }
    const FlexGenPlacement placement = At(*point);
    if (!FlexGenFits(job_, hardware_, placement)) return;
    const FlexGenTimes times =
        PredictFlexGen(job_, hardware_, attention_, placement);
    if (!best.has_value() || times.total < best->times.total) {
      best = {.placement = placement, .times = times};
    }
  }

  const FlexGenJob& job_;
  const FlexGenHardware& hardware_;
  const FlexGenAttention attention_;
  const int64_t batch_sequences_;
  const int64_t num_batches_;
  const std::optional<double> weights_;
  std::vector<Linear> planes_;
};

bool IsFaster(const std::optional<FlexGenChoice>& a,
              const std::optional<FlexGenChoice>& b) {
  return a.has_value() && (!b.has_value() || a->times.tokens_per_second >
                                                 b->times.tokens_per_second);
}

}  // namespace

std::optional<FlexGenChoice> BestFlexGenShares(const FlexGenJob& job,
                                               const FlexGenHardware& hardware,
                                               FlexGenAttention attention,
                                               int64_t batch_sequences,
                                               int64_t num_batches,
                                               std::optional<double> weights) {
  return SharesProgram(job, hardware, attention, batch_sequences, num_batches,
                       weights)
      .Solve();
}

std::optional<FlexGenChoice> SearchFlexGen(const FlexGenJob& job,
                                           const FlexGenHardware& hardware,
                                           FlexGenAttention attention,
                                           int64_t max_sequences,
                                           std::optional<double> weights) {
  std::optional<FlexGenChoice> best;
  for (int64_t size = 1; size <= max_sequences;
       size = size < 4 ? size + 1 : 2 * size) {
    const int64_t most = max_sequences / size;
    const auto solve = [&](int64_t batches) {
      return BestFlexGenShares(job, hardware, attention, size, batches,
                               weights);
    };
    std::optional<FlexGenChoice> best_of_size = solve(1);
    if (!best_of_size.has_value()) break;  // Larger ones need more memory.
    // Doubling while it pays, then halving the step.
    int64_t batches = 1;
    for (int64_t step = 1; step >= 1;) {
      const int64_t next = std::min(batches + step, most);
      const auto more = next > batches ? solve(next) : std::nullopt;
      if (IsFaster(more, best_of_size)) {
        best_of_size = more;
        batches = next;
        step *= 2;
      } else {
        step /= 2;
      }
    }
    if (IsFaster(best_of_size, best)) best = best_of_size;
  }
  return best;
}

}  // namespace hybridserve
