#include "client/plan/plan_table.h"

#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "client/plan/plan_runner.h"
#include "client/text_table.h"
#include "common/size.h"

namespace hybridserve {
namespace {

std::string Milliseconds(double seconds) {
  return absl::StrFormat("%.3g", seconds * 1e3);
}

std::string Size(double bytes) {
  return FormatSize(static_cast<int64_t>(bytes));
}

std::string Batch(const PolicyForecast& forecast) {
  return absl::StrCat(forecast.mix.chosen.sequences, "/",
                      forecast.batch_requested.has_value()
                          ? absl::StrCat(*forecast.batch_requested)
                          : "auto");
}

std::string Blocks(double kv, double act) {
  return absl::StrFormat("%.0f KV, %.0f ACT", kv, act);
}

// "-" where nothing was simulated.
std::string SimulatedStep(const PolicyForecast& forecast) {
  if (!forecast.simulated_tokens_per_s().has_value()) return "-";
  return Milliseconds(absl::ToDoubleSeconds(forecast.simulated->decode_step()));
}

std::string SimulatedRate(const PolicyForecast& forecast) {
  const std::optional<double> rate = forecast.simulated_tokens_per_s();
  return rate.has_value() ? absl::StrFormat("%.2f", *rate) : "-";
}

void AddSpeed(const PolicyForecast& forecast, TextTable& table) {
  std::vector<std::string> row = {forecast.policy.Label(),
                                  absl::StrCat(forecast.prompt_tokens),
                                  Batch(forecast)};
  if (forecast.fits()) {
    const MixPoint& chosen = forecast.mix.chosen;
    row.insert(
        row.end(),
        {absl::StrFormat("%.1f%%",
                         100 * chosen.blocks.act() / chosen.blocks.total()),
         absl::StrCat(chosen.time.binds()),
         absl::StrFormat("%.2f", forecast.predicted_tokens_per_s()),
         Milliseconds(chosen.time.step()), Milliseconds(chosen.time.link),
         Milliseconds(chosen.time.compute),
         absl::StrCat(chosen.time.mini_batches), SimulatedRate(forecast),
         SimulatedStep(forecast)});
  }
  table.AddRow(std::move(row));
}

void AddMoved(const PolicyForecast& forecast, TextTable& table) {
  if (!forecast.fits()) return;
  const BlockCounts& blocks = forecast.mix.chosen.blocks;
  const StepBytes& bytes = forecast.bytes;
  table.AddRow({forecast.policy.Label(), absl::StrCat(forecast.prompt_tokens),
                Size(bytes.weights), Size(bytes.kv), Size(bytes.act),
                Size(bytes.write_back),
                Blocks(blocks.kv_device, blocks.act_device),
                Blocks(blocks.kv_host, blocks.act_host)});
}

// What FlexGen's own program would choose, a line a form.
std::string FlexGenLines(const PolicyForecast& forecast) {
  if (!forecast.flexgen.has_value()) return "";
  std::string text;
  const auto add = [&](absl::string_view form,
                       const std::optional<FlexGenChoice>& choice) {
    if (!choice.has_value()) return;
    absl::StrAppendFormat(
        &text,
        "  FlexGen's own program, %s: --percent=%s, %d mini-batches of %d, "
        "%.2f tokens/s by its cost model\n",
        form, PercentsOf(choice->placement).ToString(),
        choice->placement.num_batches, choice->placement.batch_sequences,
        choice->times.tokens_per_second);
  };
  add("attention on the device", forecast.flexgen->device_attention);
  add("attention on the host", forecast.flexgen->host_attention);
  return text;
}

}  // namespace

std::string PlanToTable(const MachineInfo& machine,
                        const std::vector<PolicyForecast>& forecasts) {
  std::string text =
      absl::StrFormat("%s (%s) on %s; %s, %d cores, %s; %s\n\n", machine.model,
                      machine.dtype, machine.device, machine.cpu, machine.cores,
                      FormatSize(machine.memory_bytes), machine.date);
  TextTable speed;
  speed.AddRow({"decode", "prompt", "batch", "ACT", "binds", "tokens/s",
                "step ms", "layer link ms", "compute ms", "mini-batches",
                "simulated tok/s", "step ms"});
  TextTable moved;
  moved.AddRow({"per step", "prompt", "weights", "KV", "ACT", "write-back",
                "cache on the device", "on the host"});
  for (const PolicyForecast& forecast : forecasts) {
    AddSpeed(forecast, speed);
    AddMoved(forecast, moved);
  }
  absl::StrAppend(&text, speed.ToString(), "\n", moved.ToString(), "\n");
  for (const PolicyForecast& forecast : forecasts) {
    absl::StrAppend(
        &text, forecast.policy.Label(), ", ", forecast.prompt_tokens,
        " prompt tokens: ", forecast.mix.reason, "\n", FlexGenLines(forecast));
  }
  const PolicyForecast* const fastest = Fastest(forecasts);
  if (fastest != nullptr) {
    absl::StrAppendFormat(&text, "\nfastest: %s, %.2f tokens/s\n",
                          fastest->policy.Label(),
                          fastest->predicted_tokens_per_s());
  }
  return text;
}

}  // namespace hybridserve
