#include "scheduler/policy/placement_time.h"

#include <algorithm>
#include <cmath>

#include "absl/time/time.h"
#include "common/work.h"

namespace hybridserve {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double FixedSeconds(const CostModel& costs, WorkKind kind) {
  return absl::ToDoubleSeconds(costs.profile.cost(kind).fixed);
}

bool HasKv(HostKinds host) {
  return host == HostKinds::kBoth || host == HostKinds::kKvOnly;
}

bool HasAct(HostKinds host) {
  return host == HostKinds::kBoth || host == HostKinds::kActOnly;
}

}  // namespace

PlacementTime::PlacementTime(const CostModel& costs,
                             const Capacities& capacities,
                             const Workload& workload, int64_t sequences)
    : costs_(costs),
      sequences_(static_cast<double>(sequences)),
      use_(CacheUse::Of(costs, workload)),
      idle_(PredictDecode(costs, workload, sequences, {})),
      layers_(static_cast<double>(idle_.num_layers)),
      blocks_(sequences_ *
              static_cast<double>(BlocksPerSequence(costs, workload))),
      device_(static_cast<double>(capacities.device_half_slots)),
      host_(static_cast<double>(capacities.host_half_slots)) {
  const DecodeShape& shape = costs.shape;
  const auto rate = [&costs](WorkKind kind) {
    return costs.profile.cost(kind).seconds_per_unit;
  };
  const double block_tokens = shape.block_tokens;
  const double kv_bytes = shape.kv_bytes_per_token;
  const double act_bytes = shape.act_bytes_per_token;
  link_kv_ = rate(WorkKind::kKv) * use_.filled * block_tokens * kv_bytes;
  link_act_ = rate(WorkKind::kAct) * use_.filled * block_tokens * act_bytes;
  rebuild_ = rate(WorkKind::kRebuild) * use_.held * block_tokens;
  const double rows = sequences_ / blocks_;
  copy_out_kv_ = rate(WorkKind::kWriteBack) * rows * kv_bytes;
  copy_out_act_ = rate(WorkKind::kWriteBack) * rows * act_bytes;
  first_copy_out_ = FixedSeconds(costs, WorkKind::kWriteBack);
  SetMiniBatches(1);
}

void PlacementTime::SetMiniBatches(int64_t count) {
  const auto pieces = static_cast<double>(count);
  const auto fixed = [this](WorkKind kind) {
    return FixedSeconds(costs_, kind);
  };
  const bool streams = costs_.shape.layer_weight_bytes > 0;
  const bool attends = idle_.compute > 0;
  link_ = idle_.link + idle_.head_link / layers_ +
          (pieces - 1) * (streams ? fixed(WorkKind::kWeights) : 0);
  compute_ = idle_.compute + idle_.head_compute / layers_ +
             (pieces - 1) * (attends ? fixed(WorkKind::kForward) +
                                           fixed(WorkKind::kAttention)
                                     : 0);
  const double used = use_.held > 0 ? pieces : 0;
  first_kv_ = used * fixed(WorkKind::kKv);
  first_act_ = used * fixed(WorkKind::kAct);
  first_rebuild_ = used * fixed(WorkKind::kRebuild);
}

void PlacementTime::BoundStaged(int64_t mini_batches) {
  const double in_one =
      std::ceil(sequences_ / static_cast<double>(mini_batches));
  staged_ = in_one <= 1 || use_.held <= 0
                ? kInfinity
                : static_cast<double>(costs_.shape.staging_half_slots) *
                      sequences_ / (in_one * use_.held);
}

BlockCounts PlacementTime::Blocks(double act, double kv_device) const {
  const double act_device = std::min(act, device_ - 2 * kv_device);
  return {.kv_device = kv_device,
          .kv_host = blocks_ - act - kv_device,
          .act_device = act_device,
          .act_host = act - act_device};
}

int64_t PlacementTime::MiniBatchesFor(double staged_half_slots) const {
  return NumMiniBatches(costs_.shape, sequences_,
                        staged_half_slots * use_.held);
}

int64_t PlacementTime::NextMiniBatches(int64_t count) const {
  const double in_one = std::ceil(sequences_ / static_cast<double>(count));
  return static_cast<int64_t>(
      std::ceil(sequences_ / std::max(in_one - 1, 1.0)));
}

bool PlacementTime::MiniBatchesAreFree() const {
  for (const WorkKind kind :
       {WorkKind::kWeights, WorkKind::kKv, WorkKind::kAct, WorkKind::kRebuild,
        WorkKind::kForward, WorkKind::kAttention}) {
    if (FixedSeconds(costs_, kind) > 0) return false;
  }
  return true;
}

double PlacementTime::Link(double act, double kv_device) const {
  const double act_device = std::min(act, device_ - 2 * kv_device);
  return link_ + link_kv_ * (blocks_ - act - kv_device) +
         link_act_ * (act - act_device);
}

double PlacementTime::CopyOut(double act, double kv_device) const {
  const double act_device = std::min(act, device_ - 2 * kv_device);
  return copy_out_kv_ * (blocks_ - act - kv_device) +
         copy_out_act_ * (act - act_device);
}

double PlacementTime::LeastKvDevice(double act) const {
  const double kv = blocks_ - act;
  return std::max({0.0, kv - host_ / 2, kv - (staged_ - 3 * act) / 2});
}

double PlacementTime::MostKvDevice(double act) const {
  return std::min(blocks_ - act, device_ / 2);
}

double PlacementTime::Turn(double act, double a, double b) const {
  return std::clamp((device_ - act) / 2, a, b);
}

double PlacementTime::Meeting(double act, double a, double b,
                              double extra) const {
  const auto ahead = [&](double kv_device) {
    return Link(act, kv_device) + extra - CopyOut(act, kv_device) -
           first_copy_out_;
  };
  const double at_a = ahead(a);
  const double at_b = ahead(b);
  if ((at_a < 0) == (at_b < 0)) return a;
  return a + (b - a) * at_a / (at_a - at_b);
}

double PlacementTime::FirstLink(HostKinds host) const {
  return (HasKv(host) ? first_kv_ : 0) + (HasAct(host) ? first_act_ : 0);
}

double PlacementTime::RealTime(double act, HostKinds host) const {
  const double extra = FirstLink(host);
  const double copy_out = host == HostKinds::kNone ? 0 : first_copy_out_;
  const double compute = compute_ + first_rebuild_ + rebuild_ * act;
  const auto time = [&](double kv_device) {
    return std::max({Link(act, kv_device) + extra,
                     CopyOut(act, kv_device) + copy_out, compute});
  };
  switch (host) {
    case HostKinds::kNone:
    case HostKinds::kActOnly:
      return time(blocks_ - act);
    case HostKinds::kKvOnly:
      return time(std::min(blocks_ - act, (device_ - act) / 2));
    case HostKinds::kBoth:
      break;
  }
  const double least = LeastKvDevice(act);
  const double most = std::max(least, MostKvDevice(act));
  const double turn = Turn(act, least, most);
  double best = kInfinity;
  for (const double kv_device :
       {least, most, turn, Meeting(act, least, turn, extra),
        Meeting(act, turn, most, extra)}) {
    best = std::min(best, time(kv_device));
  }
  return best;
}

double PlacementTime::WholeTime(double act, double kv_device) const {
  const BlockCounts blocks = Blocks(act, kv_device);
  if (kv_device < 0 || blocks.kv_host < 0 || 2 * kv_device > device_ ||
      2 * blocks.kv_host + blocks.act_host > host_ ||
      blocks.staged_half_slots() > staged_ * (1 + 1e-9)) {
    return kInfinity;
  }
  const bool kv = blocks.kv_host > 0;
  const bool act_on_host = blocks.act_host > 0;
  const double link = Link(act, kv_device) + (kv ? first_kv_ : 0) +
                      (act_on_host ? first_act_ : 0);
  const double compute =
      compute_ + rebuild_ * act + (act > 0 ? first_rebuild_ : 0);
  const double copy_out =
      CopyOut(act, kv_device) + (kv || act_on_host ? first_copy_out_ : 0);
  return std::max({link, compute, copy_out});
}

}  // namespace hybridserve
