#include "client/bench/step_figures.h"

namespace hybridserve {
namespace {

double ActShare(const v1::Worker& worker) {
  double act = 0;
  double all = 0;
  for (const v1::Pool& pool : worker.pools()) {
    act += pool.act_blocks();
    all += pool.act_blocks() + pool.kv_blocks();
  }
  return all > 0 ? act / all : 0;
}

}  // namespace

std::optional<StepFigures> FiguresBetween(const v1::Worker& before,
                                          const v1::Worker& after) {
  const v1::WorkerTotals& from = before.totals();
  const v1::WorkerTotals& to = after.totals();
  if (before.id() != after.id() || before.epoch() != after.epoch() ||
      to.steps() <= from.steps()) {
    return std::nullopt;
  }
  StepFigures figures;
  figures.steps = static_cast<int64_t>(to.steps() - from.steps());
  const double steps = static_cast<double>(figures.steps);
  const double wall = to.wall_seconds() - from.wall_seconds();
  figures.measured_seconds = wall / steps;
  if (wall > 0) {
    figures.link_busy =
        (to.link_busy_seconds() - from.link_busy_seconds()) / wall;
    figures.compute_busy =
        (to.compute_busy_seconds() - from.compute_busy_seconds()) / wall;
  }
  if (after.has_predicted_step_seconds()) {
    figures.predicted_seconds = after.predicted_step_seconds();
  }
  const auto per_step = [steps](uint64_t earlier, uint64_t later) {
    return static_cast<double>(later - earlier) / steps;
  };
  figures.weight_bytes = per_step(from.weight_bytes(), to.weight_bytes());
  figures.kv_bytes = per_step(from.kv_bytes(), to.kv_bytes());
  figures.act_bytes = per_step(from.act_bytes(), to.act_bytes());
  figures.write_back_bytes =
      per_step(from.write_back_bytes(), to.write_back_bytes());
  figures.act_share = ActShare(after);
  figures.mix_reason = after.mix_reason();
  figures.begin = from;
  figures.end = to;
  SetIdeal(after.profile(), figures);
  return figures;
}

void SetIdeal(const v1::WorkerProfile& costs, StepFigures& figures) {
  figures.ideal_seconds.reset();
  figures.overlap_efficiency.reset();
  figures.work = SecondsByKind(costs, figures.begin, figures.end);
  const double share = 1 / static_cast<double>(figures.steps);
  for (KindSeconds& kind : figures.work) kind.ScaleBy(share);
  if (costs.costs().empty()) return;
  const auto ideal = IdealSeconds(figures.work);
  if (!ideal.has_value()) return;
  figures.ideal_seconds = ideal->Longest();
  if (figures.measured_seconds > 0) {
    figures.overlap_efficiency =
        *figures.ideal_seconds / figures.measured_seconds;
  }
}

}  // namespace hybridserve
