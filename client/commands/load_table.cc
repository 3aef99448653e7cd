#include "client/commands/load_table.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/enum_names.h"
#include "common/size.h"

namespace hybridserve {
namespace {

void AddRow(absl::string_view name, absl::string_view value,
            std::string* table) {
  absl::StrAppendFormat(table, "  %-26s %s\n", name, value);
}

// Sizes on the wire are unsigned.
std::string Size(uint64_t bytes) {
  return FormatSize(static_cast<int64_t>(bytes));
}

std::string Rate(double bytes_per_second) {
  return std::isfinite(bytes_per_second)
             ? FormatSize(static_cast<int64_t>(bytes_per_second)) + "/s"
             : "host and device share memory";
}

std::string Share(double part, double whole) {
  return whole > 0 ? absl::StrFormat("%.1f%%", 100 * part / whole) : "-";
}

void AddTotals(const v1::WorkerTotals& totals, std::string* table) {
  const double seconds = totals.wall_seconds();
  AddRow("steps", absl::StrCat(totals.steps()), table);
  if (seconds > 0) {
    AddRow(
        "tokens generated",
        absl::StrFormat("%d (%.1f tokens/s)", totals.sampled_tokens(),
                        static_cast<double>(totals.sampled_tokens()) / seconds),
        table);
    AddRow("tokens processed",
           absl::StrFormat(
               "%d (%.1f tokens/s)", totals.processed_tokens(),
               static_cast<double>(totals.processed_tokens()) / seconds),
           table);
  }
  AddRow("preemptions", absl::StrCat(totals.preemptions()), table);
  AddRow("blocks turned into KV", absl::StrCat(totals.converted_blocks()),
         table);
  AddRow("link: weights", Size(totals.weight_bytes()), table);
  AddRow("link: keys and values", Size(totals.kv_bytes()), table);
  AddRow("link: activations", Size(totals.act_bytes()), table);
  AddRow("link: other", Size(totals.other_in_bytes()), table);
  AddRow("link: written back", Size(totals.write_back_bytes()), table);
  AddRow("link busy", Share(totals.link_busy_seconds(), seconds), table);
  AddRow("compute busy", Share(totals.compute_busy_seconds(), seconds), table);
}

const char* UnitOf(v1::WorkKind kind) {
  switch (kind) {
    case v1::WORK_KIND_WEIGHTS:
    case v1::WORK_KIND_KV:
    case v1::WORK_KIND_ACT:
    case v1::WORK_KIND_INPUTS:
    case v1::WORK_KIND_WRITE_BACK:
      return "byte";
    case v1::WORK_KIND_ATTENTION:
      return "pair";
    default:
      return "row";
  }
}

void AddPool(const v1::Pool& pool, std::string* table) {
  AddRow(absl::StrCat("cache on ", TierName(pool.tier())),
         absl::StrFormat("%d of %d half-slots free", pool.free(),
                         pool.half_slots()),
         table);
  AddRow(
      "  KV blocks",
      absl::StrFormat("%d (most: %d)", pool.kv_blocks(), pool.peak_kv_blocks()),
      table);
  AddRow("  ACT blocks",
         absl::StrFormat("%d (most: %d)", pool.act_blocks(),
                         pool.peak_act_blocks()),
         table);
}

std::string Line(const v1::WorkCost& cost) {
  return absl::StrFormat("%.2f us + %.3g ns a %s", cost.fixed_seconds() * 1e6,
                         cost.seconds_per_unit() * 1e9, UnitOf(cost.kind()));
}

// One line a kind of work: a + b x units, how well it fits, from how much; and
// what the steps since have made of it.
void AddCosts(const v1::WorkerProfile& profile, std::string* table) {
  for (const v1::WorkCost& cost : profile.costs()) {
    std::string text = absl::StrFormat("%s, R2 %.4f, %d samples", Line(cost),
                                       cost.r_squared(), cost.samples_size());
    for (const v1::WorkCost& tracked : profile.tracked_costs()) {
      if (tracked.kind() != cost.kind()) continue;
      absl::StrAppend(&text, "; now ", Line(tracked));
    }
    AddRow(absl::StrCat("  ", WorkKindName(cost.kind())), text, table);
  }
}

}  // namespace

std::string LoadToTable(const v1::Load& load, bool show_profile) {
  std::string table = absl::StrFormat(
      "%d running, %d waiting, %d workers\n", load.queue().running(),
      load.queue().waiting(), load.workers_size());
  for (const v1::Worker& worker : load.workers()) {
    absl::StrAppendFormat(&table, "worker %d %s: %s on %s, %s\n", worker.id(),
                          worker.name(), worker.model(), worker.device(),
                          WorkerStateName(worker.state()));
    AddRow(
        "weights a layer",
        absl::StrFormat("%s, %s of them streamed", Size(worker.layer_bytes()),
                        Size(worker.streamed_layer_bytes())),
        &table);
    if (!worker.mix_reason().empty()) {
      AddRow("cache mix", worker.mix_reason(), &table);
    }
    AddTotals(worker.totals(), &table);
    for (const v1::Pool& pool : worker.pools()) AddPool(pool, &table);
    if (show_profile) {
      const v1::WorkerProfile& profile = worker.profile();
      AddRow("measured link", Rate(profile.link_bytes_per_second()), &table);
      AddRow("measured GEMM",
             absl::StrFormat("%.1f GFLOP/s",
                             profile.gemm_flops_per_second() / 1e9),
             &table);
      AddCosts(profile, &table);
    }
  }
  return table;
}

}  // namespace hybridserve
