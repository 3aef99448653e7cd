#include "client/plan/plan_json.h"

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "client/bench/bench_json.h"
#include "client/plan/plan_runner.h"

namespace hybridserve {
namespace {

using nlohmann::ordered_json;

ordered_json BlocksToJson(const BlockCounts& blocks) {
  return {{"kv_device", blocks.kv_device},
          {"kv_host", blocks.kv_host},
          {"act_device", blocks.act_device},
          {"act_host", blocks.act_host}};
}

ordered_json PredictionToJson(const PolicyForecast& forecast) {
  const StepTime& time = forecast.mix.chosen.time;
  return {{"decode_tokens_per_s", forecast.predicted_tokens_per_s()},
          {"step_s", time.step()},
          {"binds", time.binds()},
          {"layer",
           {{"link_s", time.link},
            {"compute_s", time.compute},
            {"copy_out_s", time.copy_out}}},
          {"mini_batches", time.mini_batches},
          {"bytes_per_step",
           {{"weight", forecast.bytes.weights},
            {"kv", forecast.bytes.kv},
            {"act", forecast.bytes.act},
            {"write_back", forecast.bytes.write_back}}}};
}

ordered_json SimulationToJson(const PolicyForecast& forecast) {
  const SimulationResult& result = *forecast.simulated;
  ordered_json json = {
      {"total_tokens_per_s", static_cast<double>(result.generated_tokens) /
                                 absl::ToDoubleSeconds(result.total)},
      {"decode_tokens_per_s", nullptr},
      {"step_s", nullptr},
      {"link_busy", nullptr},
      {"compute_busy", nullptr}};
  if (const auto rate = forecast.simulated_tokens_per_s()) {
    json["decode_tokens_per_s"] = *rate;
    json["step_s"] = absl::ToDoubleSeconds(result.decode_step());
    json["link_busy"] =
        absl::FDivDuration(result.decode.link_busy, result.decode.wall);
    json["compute_busy"] =
        absl::FDivDuration(result.decode.compute_busy, result.decode.wall);
  }
  return json;
}

// FlexGen's own times are of its own cost model.
ordered_json FormToJson(const std::optional<FlexGenChoice>& form) {
  if (!form.has_value()) return nullptr;
  const FlexGenPlacement& placement = form->placement;
  return {{"percent", PercentsOf(placement).ToString()},
          {"weight_share", placement.weights},
          {"cache_share", placement.cache},
          {"hidden_share", placement.hidden},
          {"gpu_batch_size", placement.batch_sequences},
          {"num_gpu_batches", placement.num_batches},
          {"prefill_layer_s", form->times.prefill_layer},
          {"decode_layer_s", form->times.decode_layer},
          {"tokens_per_s", form->times.tokens_per_second}};
}

ordered_json FlexGenToJson(const std::optional<FlexGenForms>& forms) {
  if (!forms.has_value()) return nullptr;
  return {{"device_attention", FormToJson(forms->device_attention)},
          {"host_attention", FormToJson(forms->host_attention)}};
}

ordered_json TextOrNull(const std::string& text) {
  return text.empty() ? ordered_json() : ordered_json(text);
}

ordered_json ForecastToJson(const PolicyForecast& forecast) {
  ordered_json json = {
      {"policy", forecast.policy.name},
      {"act_ratio", forecast.policy.act_ratio},
      {"recompute_ratio", TextOrNull(forecast.policy.recompute_ratio)},
      {"percent", TextOrNull(forecast.policy.percent)},
      {"batch_requested", forecast.batch_requested.has_value()
                              ? ordered_json(*forecast.batch_requested)
                              : ordered_json("auto")},
      {"batch_running", forecast.mix.chosen.sequences},
      {"prompt_tokens", forecast.prompt_tokens},
      {"output_tokens", forecast.output_tokens},
      {"act_share", nullptr},
      {"cache_blocks", nullptr},
      {"predicted", nullptr},
      {"simulated", nullptr},
      {"flexgen", FlexGenToJson(forecast.flexgen)},
      {"reason", forecast.mix.reason}};
  if (forecast.policy.relays()) json["relay"] = true;
  if (!forecast.fits()) return json;
  const BlockCounts& blocks = forecast.mix.chosen.blocks;
  json["act_share"] = blocks.act() / blocks.total();
  json["cache_blocks"] = BlocksToJson(blocks);
  json["predicted"] = PredictionToJson(forecast);
  if (forecast.simulated.has_value()) {
    json["simulated"] = SimulationToJson(forecast);
  }
  return json;
}

}  // namespace

ordered_json PlanToJson(const MachineInfo& machine,
                        const std::vector<PolicyForecast>& forecasts) {
  ordered_json results = ordered_json::array();
  for (const PolicyForecast& forecast : forecasts) {
    results.push_back(ForecastToJson(forecast));
  }
  const PolicyForecast* const fastest = Fastest(forecasts);
  return {{"machine", MachineToJson(machine)},
          {"fastest", fastest != nullptr ? ordered_json(fastest->policy.Label())
                                         : ordered_json()},
          {"results", results}};
}

}  // namespace hybridserve
