#include "scheduler/policy/mix_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "common/work.h"

// For B sequences in M mini-batches a layer takes
//   T = max(link, compute, copy-out),
// each linear in the blocks kd, kh, ad, ah (KV and ACT on device and host) but
// for what the first block of a kind costs: one piece a mini-batch. With
// A = ad + ah and K = kd + kh = n - A, compute depends on A alone, and a device
// block only ever saves, so the device is filled: ad = min(A, D - 2 kd). That
// leaves A and kd. For given A, T is convex and piecewise linear in kd: its
// least value lies on an end, on the break or where link meets copy-out. And
// minimising that out leaves a function convex in A, searched by its slope.
//
// The first blocks' costs make four cases, each convex: no KV on the host, no
// ACT on the host, neither, and all else; no ACT at all is looked at apart. For
// given A and case the search takes kd as real; whole numbers near its result
// are then compared as they are. The mini-batches bound what is staged,
// 2 kh + 3 A, so M is raised from 1 until that bound no longer binds.

namespace hybridserve {
namespace {

// So much must fewer sequences gain, a token: others would wait for it.
constexpr double kPreference = 0.005;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Of one layer, in seconds and seconds a reserved block.
struct Coefficients {
  double blocks = 0;     // n
  double device = 0;     // D, half-slots.
  double host = 0;       // H
  double staged = 0;     // Bound of 2 kh + 3 A.
  double link = 0;       // Whatever the blocks.
  double link_kv = 0;    // A host KV block.
  double link_act = 0;   // A host ACT block.
  double first_kv = 0;   // Any host KV block.
  double first_act = 0;  // Any host ACT block.
  double compute = 0;    // Whatever the blocks.
  double rebuild = 0;    // An ACT block.
  double first_rebuild = 0;
  double copy_out_kv = 0;  // A host KV block.
  double copy_out_act = 0;
  double first_copy_out = 0;
};

// A whole placement and the layer's time.
struct Candidate {
  double act = 0;
  double kv_device = 0;
  double seconds = kInfinity;
};

double FixedSeconds(const CostModel& costs, WorkKind kind) {
  return absl::ToDoubleSeconds(costs.profile.cost(kind).fixed);
}

// The share of its reserved blocks that a sequence's context fills.
double UsedShare(const CostModel& costs, const Workload& workload) {
  const auto reserved = static_cast<double>(BlocksPerSequence(costs, workload) *
                                            costs.shape.block_tokens);
  return std::clamp(workload.context_tokens / reserved, 0.0, 1.0);
}

class PlacementSearch {
 public:
  PlacementSearch(const CostModel& costs, const Capacities& capacities,
                  const Workload& workload, int64_t sequences)
      : costs_(costs),
        sequences_(static_cast<double>(sequences)),
        used_(UsedShare(costs, workload)) {
    c_.blocks =
        sequences_ * static_cast<double>(BlocksPerSequence(costs, workload));
    c_.device = static_cast<double>(capacities.device_half_slots);
    c_.host = static_cast<double>(capacities.host_half_slots);
    idle_ = PredictDecode(costs, workload, sequences, {});
    SetBlockCosts();
  }

  // The best placement whose step takes less than `bound` seconds.
  Candidate Run(ActShares shares, double bound) {
    least_act_ = std::round(shares.least * c_.blocks);
    most_act_ = std::round(shares.most * c_.blocks);
    Candidate best;
    best.seconds = (bound - std::max(idle_.head_link, idle_.head_compute)) /
                   static_cast<double>(idle_.num_layers);
    const Candidate none = best;
    const double least_staged =
        std::max({0.0, 2 * c_.blocks - c_.device + least_act_, 3 * least_act_});
    for (int64_t pieces =
             NumMiniBatches(costs_.shape, sequences_, least_staged * used_);
         ;) {
      SetPieces(pieces);
      c_.staged = kInfinity;
      const Candidate free = Solve();
      if (free.seconds >= best.seconds) {
        return best.seconds < none.seconds ? best : Candidate();
      }
      const int64_t needed = PiecesOf(free);
      if (needed <= pieces) return free;
      c_.staged = StagedBound(pieces);
      const Candidate bounded = Solve();
      if (bounded.seconds < best.seconds) best = bounded;
      if (PiecesAreFree()) {
        SetPieces(needed);
        c_.staged = kInfinity;
        return Solve();
      }
      pieces = NextPieces(pieces);
    }
  }

  BlockCounts Blocks(const Candidate& candidate) const {
    const double kv = c_.blocks - candidate.act;
    const double act_device =
        std::min(candidate.act, c_.device - 2 * candidate.kv_device);
    return {.kv_device = candidate.kv_device,
            .kv_host = kv - candidate.kv_device,
            .act_device = act_device,
            .act_host = candidate.act - act_device};
  }

 private:
  enum class Case { kNoHostKv, kNoHostAct, kNoHost, kElse };

  void SetBlockCosts() {
    const DecodeShape& shape = costs_.shape;
    const WorkProfile& profile = costs_.profile;
    const double tokens = used_ * shape.block_tokens;
    const double kv_bytes = shape.kv_bytes_per_token;
    const double act_bytes = shape.act_bytes_per_token;
    const auto rate = [&profile](WorkKind kind) {
      return profile.cost(kind).seconds_per_unit;
    };
    c_.link_kv = rate(WorkKind::kKv) * tokens * kv_bytes;
    c_.link_act = rate(WorkKind::kAct) * tokens * act_bytes;
    c_.rebuild = rate(WorkKind::kRebuild) * tokens;
    const double rows = sequences_ / c_.blocks;
    c_.copy_out_kv = rate(WorkKind::kWriteBack) * rows * kv_bytes;
    c_.copy_out_act = rate(WorkKind::kWriteBack) * rows * act_bytes;
    c_.first_copy_out = FixedSeconds(costs_, WorkKind::kWriteBack);
  }

  // The costs of `pieces` mini-batches. Those of what runs whatever the blocks
  // are known for one.
  void SetPieces(int64_t pieces) {
    const auto count = static_cast<double>(pieces);
    const bool streams = costs_.shape.layer_weight_bytes > 0;
    const bool attends = idle_.compute > 0;
    c_.link =
        idle_.link +
        (count - 1) * (streams ? FixedSeconds(costs_, WorkKind::kWeights) : 0);
    c_.compute = idle_.compute + (count - 1) * (attends ? PieceSeconds() : 0);
    c_.first_kv = used_ > 0 ? count * FixedSeconds(costs_, WorkKind::kKv) : 0;
    c_.first_act = used_ > 0 ? count * FixedSeconds(costs_, WorkKind::kAct) : 0;
    c_.first_rebuild =
        used_ > 0 ? count * FixedSeconds(costs_, WorkKind::kRebuild) : 0;
  }

  double PieceSeconds() const {
    return FixedSeconds(costs_, WorkKind::kForward) +
           FixedSeconds(costs_, WorkKind::kAttention);
  }

  bool PiecesAreFree() const {
    for (const WorkKind kind :
         {WorkKind::kWeights, WorkKind::kKv, WorkKind::kAct, WorkKind::kRebuild,
          WorkKind::kForward, WorkKind::kAttention}) {
      if (costs_.profile.cost(kind).fixed > absl::ZeroDuration()) return false;
    }
    return true;
  }

  int64_t PiecesOf(const Candidate& candidate) const {
    return NumMiniBatches(costs_.shape, sequences_,
                          Blocks(candidate).staged_half_slots() * used_);
  }

  // What may be staged so that `pieces` mini-batches hold it.
  double StagedBound(int64_t pieces) const {
    const double in_one = std::ceil(sequences_ / static_cast<double>(pieces));
    if (in_one <= 1 || used_ <= 0) return kInfinity;
    return static_cast<double>(costs_.shape.staging_half_slots) * sequences_ /
           (in_one * used_);
  }

  // The next number of mini-batches that equal sequences can make.
  int64_t NextPieces(int64_t pieces) const {
    const double in_one = std::ceil(sequences_ / static_cast<double>(pieces));
    return static_cast<int64_t>(
        std::ceil(sequences_ / std::max(in_one - 1, 1.0)));
  }

  double Link(double act, double kv_device) const {
    const double act_device = std::min(act, c_.device - 2 * kv_device);
    return c_.link + c_.link_kv * (c_.blocks - act - kv_device) +
           c_.link_act * (act - act_device);
  }
  double CopyOut(double act, double kv_device) const {
    const double act_device = std::min(act, c_.device - 2 * kv_device);
    return c_.copy_out_kv * (c_.blocks - act - kv_device) +
           c_.copy_out_act * (act - act_device);
  }

  // The bounds of kd for given A, real or whole.
  double LeastKvDevice(double act) const {
    const double kv = c_.blocks - act;
    return std::max({0.0, kv - c_.host / 2, kv - (c_.staged - 3 * act) / 2});
  }
  double MostKvDevice(double act) const {
    return std::min(c_.blocks - act, c_.device / 2);
  }

  // Where link meets copy-out (and the first blocks' costs `extra` of link)
  // between a and b, where both are linear; a if nowhere.
  double Meeting(double act, double a, double b, double extra) const {
    const double at_a =
        Link(act, a) + extra - CopyOut(act, a) - c_.first_copy_out;
    const double at_b =
        Link(act, b) + extra - CopyOut(act, b) - c_.first_copy_out;
    if ((at_a < 0) == (at_b < 0)) return a;
    return a + (b - a) * at_a / (at_a - at_b);
  }

  // The least time for A, first blocks' costs as in `which`, kd real.
  double RealTime(double act, Case which) const {
    const bool host_kv = which == Case::kElse || which == Case::kNoHostAct;
    const bool host_act = which == Case::kElse || which == Case::kNoHostKv;
    const double extra =
        (host_kv ? c_.first_kv : 0) + (host_act ? c_.first_act : 0);
    const double copy_out = host_kv || host_act ? c_.first_copy_out : 0;
    const double compute = c_.compute + c_.first_rebuild + c_.rebuild * act;
    const auto time = [&](double kv_device) {
      return std::max({Link(act, kv_device) + extra,
                       CopyOut(act, kv_device) + copy_out, compute});
    };
    switch (which) {
      case Case::kNoHost:
      case Case::kNoHostKv:
        return time(c_.blocks - act);
      case Case::kNoHostAct:
        return time(std::min(c_.blocks - act, (c_.device - act) / 2));
      case Case::kElse:
        break;
    }
    const double least = LeastKvDevice(act);
    const double most = std::max(least, MostKvDevice(act));
    const double turn = std::clamp((c_.device - act) / 2, least, most);
    double best = kInfinity;
    for (const double kv_device :
         {least, most, turn, Meeting(act, least, turn, extra),
          Meeting(act, turn, most, extra)}) {
      best = std::min(best, time(kv_device));
    }
    return best;
  }

  // The true time of a whole placement; infinity if it doesn't fit.
  double WholeTime(double act, double kv_device) const {
    const double kv_host = c_.blocks - act - kv_device;
    if (kv_device < 0 || kv_host < 0 || 2 * kv_device > c_.device) {
      return kInfinity;
    }
    const double act_host = act - std::min(act, c_.device - 2 * kv_device);
    if (2 * kv_host + act_host > c_.host ||
        2 * kv_host + 3 * act > c_.staged * (1 + 1e-9)) {
      return kInfinity;
    }
    const double link = Link(act, kv_device) + (kv_host > 0 ? c_.first_kv : 0) +
                        (act_host > 0 ? c_.first_act : 0);
    const double compute =
        c_.compute + c_.rebuild * act + (act > 0 ? c_.first_rebuild : 0);
    const double copy_out = CopyOut(act, kv_device) +
                            (kv_host + act_host > 0 ? c_.first_copy_out : 0);
    return std::max({link, compute, copy_out});
  }

  // Improves `best` by the whole placements with `act` ACT blocks.
  void TryWhole(double act, Candidate& best) const {
    if (act < least_act_ || act > most_act_) return;
    const double least = std::ceil(LeastKvDevice(act));
    const double most = std::floor(MostKvDevice(act));
    if (least > most) return;
    const double turn = std::clamp((c_.device - act) / 2, least, most);
    const auto consider = [&](double kv_device) {
      const double seconds = WholeTime(act, kv_device);
      const bool better = seconds < best.seconds * (1 - 1e-12) ||
                          (seconds <= best.seconds && act < best.act);
      if (better) best = {act, kv_device, seconds};
    };
    consider(most);
    consider(least);
    for (const double extra : {0.0, c_.first_kv + c_.first_act}) {
      for (const double real : {turn, Meeting(act, least, turn, extra),
                                Meeting(act, turn, most, extra)}) {
        consider(std::floor(real));
        consider(std::ceil(real));
      }
    }
  }

  // The whole A in [least, most] with the least real time.
  double SearchAct(double least, double most, Case which) const {
    while (least < most) {
      const double middle = std::floor((least + most) / 2);
      if (RealTime(middle, which) <= RealTime(middle + 1, which)) {
        most = middle;
      } else {
        least = middle + 1;
      }
    }
    return least;
  }

  Candidate Solve() const {
    const double n = c_.blocks;
    const double d = c_.device;
    const double fits = 2 * n - d - c_.host;  // A at least.
    const double staged = c_.staged / 3;      // A at most.
    const struct {
      Case which;
      double least;
      double most;
    } cases[] = {
        {Case::kElse, 0, c_.staged + d - 2 * n},
        {Case::kNoHostKv, n - d / 2, n},
        {Case::kNoHostAct, 0, std::min(d, (c_.staged + d - 2 * n) / 2)},
        {Case::kNoHost, 2 * n - d, d},
    };
    Candidate best;
    TryWhole(0, best);
    for (const auto& part : cases) {
      const double least =
          std::ceil(std::max({least_act_, fits, part.least}) - 1e-9);
      const double most =
          std::floor(std::min({most_act_, staged, part.most}) + 1e-9);
      if (least > most) continue;
      const double near = SearchAct(least, most, part.which);
      for (double act = near - 3; act <= near + 3; ++act) TryWhole(act, best);
      TryWhole(least, best);
      TryWhole(most, best);
    }
    return best;
  }

  const CostModel& costs_;
  const double sequences_;
  const double used_;
  StepTime idle_;  // Of these sequences with no blocks, in one mini-batch.
  Coefficients c_;
  double least_act_ = 0;
  double most_act_ = 0;
};

}  // namespace

int64_t BlocksPerSequence(const CostModel& costs, const Workload& workload) {
  return std::max<int64_t>(
      1, static_cast<int64_t>(std::ceil(
             std::max(workload.final_tokens, workload.context_tokens) /
             costs.shape.block_tokens)));
}

StepTime PredictDecode(const CostModel& costs, const Workload& workload,
                       int64_t sequences, const BlockCounts& reserved) {
  const auto rows = static_cast<double>(sequences);
  return PredictStep(costs,
                     {.sequences = rows,
                      .context_tokens = rows * workload.context_tokens,
                      .new_rows = rows},
                     reserved * UsedShare(costs, workload));
}

namespace {

// Of placements whose step takes less than `bound` seconds.
MixPoint BestBelow(double bound, const CostModel& costs,
                   const Capacities& capacities, const Workload& workload,
                   ActShares shares, int64_t sequences) {
  PlacementSearch search(costs, capacities, workload, sequences);
  const Candidate best = search.Run(shares, bound);
  if (best.seconds == kInfinity) return {};
  MixPoint point = {.sequences = sequences, .blocks = search.Blocks(best)};
  point.time = PredictDecode(costs, workload, sequences, point.blocks);
  return point;
}

}  // namespace

MixPoint BestPlacement(const CostModel& costs, const Capacities& capacities,
                       const Workload& workload, ActShares shares,
                       int64_t sequences) {
  return BestBelow(kInfinity, costs, capacities, workload, shares, sequences);
}

MixPoint BestMix(const CostModel& costs, const Capacities& capacities,
                 const Workload& workload, ActShares shares) {
  const double limit = absl::ToDoubleSeconds(workload.max_step_time);
  // No more can fit: every block takes at least one half-slot.
  const int64_t most =
      std::min(workload.sequences,
               (capacities.device_half_slots + capacities.host_half_slots) /
                   BlocksPerSequence(costs, workload));
  MixPoint best;
  for (int64_t sequences = most; sequences >= 1; --sequences) {
    double bound = kInfinity;  // A step must be shorter than that to matter.
    if (best.sequences > 0) {
      bound = best.seconds_per_token() * (1 - kPreference) *
              static_cast<double>(sequences);
    }
    const MixPoint point =
        BestBelow(bound, costs, capacities, workload, shares, sequences);
    const double step = point.time.step();
    if (point.sequences > 0 && step <= limit && step < bound) best = point;
  }
  if (best.sequences > 0 || most < 1) return best;
  return BestPlacement(costs, capacities, workload, shares, 1);
}

int64_t MaxSequences(const CostModel& costs, const Capacities& capacities,
                     const Workload& workload, const MixPoint& best) {
  if (best.sequences == 0 || best.sequences >= workload.sequences) {
    return INT64_MAX;
  }
  const double share = best.blocks.act() / best.blocks.total();
  const MixPoint more = BestPlacement(costs, capacities, workload,
                                      {share, share}, best.sequences + 1);
  return more.sequences == 0 ? INT64_MAX : best.sequences;
}

}  // namespace hybridserve
