#include "client/plan/plan_chart.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/bench/bench_charts.h"
#include "client/chart/axis.h"
#include "glog/logging.h"

namespace hybridserve {
namespace {

Bar BarOf(const PolicyForecast& forecast, bool several_prompts, double rate) {
  const MixPoint& chosen = forecast.mix.chosen;
  Bar bar = {.label = forecast.policy.Label(),
             .note = absl::StrFormat(
                 "batch %d, %.0f%% ACT", chosen.sequences,
                 100 * chosen.blocks.act() / chosen.blocks.total()),
             .value = {.value = rate, .low = rate, .high = rate},
             .colour = ColourOf(forecast.policy)};
  if (several_prompts) {
    absl::StrAppend(&bar.label, " at ", forecast.prompt_tokens);
  }
  return bar;
}

}  // namespace

Figure PlanFigure(const MachineInfo& machine,
                  const std::vector<PolicyForecast>& forecasts) {
  CHECK(!forecasts.empty());
  std::set<int64_t> prompts;
  for (const PolicyForecast& forecast : forecasts) {
    prompts.insert(forecast.prompt_tokens);
  }
  BarPanel predicted = {.title = "Predicted", .y_label = "decoded tokens/s"};
  BarPanel simulated = {.title = "Simulated", .y_label = "decoded tokens/s"};
  for (const PolicyForecast& forecast : forecasts) {
    if (!forecast.fits()) continue;
    const bool several = prompts.size() > 1;
    predicted.bars.push_back(
        BarOf(forecast, several, forecast.predicted_tokens_per_s()));
    if (const auto rate = forecast.simulated_tokens_per_s()) {
      simulated.bars.push_back(BarOf(forecast, several, *rate));
    }
  }
  const PolicyForecast& first = forecasts.front();
  Figure figure = {
      .title = "Planned throughput by cache policy",
      .subtitle = absl::StrCat(
          machine.model, " (", machine.dtype, "), ",
          prompts.size() > 1 ? std::string("several lengths")
                             : absl::StrCat(first.prompt_tokens, " tokens in"),
          ", ", first.output_tokens, " out")};
  for (BarPanel* panel : {&predicted, &simulated}) {
    if (!panel->bars.empty()) figure.panels.push_back(std::move(*panel));
  }
  figure.captions = {
      "Nothing was generated: predictions from costs measured on this machine, "
      "each kind of work alone.",
      machine.link_bytes_per_s.has_value()
          ? absl::StrCat(machine.paced_link ? "Paced link: " : "Link: ",
                         FormatNumber(*machine.link_bytes_per_s / 1e6),
                         " MB/s measured.")
          : std::string("No link: host and device share memory."),
      absl::StrFormat("%s, %d cores; device: %s. %s, build %s.", machine.cpu,
                      machine.cores, machine.device, machine.date,
                      machine.build_id.substr(0, 12))};
  return figure;
}

}  // namespace hybridserve
