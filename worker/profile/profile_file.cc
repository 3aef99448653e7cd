#include "worker/profile/profile_file.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/dtype.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"

namespace hybridserve {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr char kFormat[] = "hybridserve profile 1";

absl::Status BadFile(absl::string_view path, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("profile: ", path, ": ", what));
}

ordered_json FitToJson(const WorkFit& fit) {
  ordered_json samples = ordered_json::array();
  for (const CostSample& sample : fit.samples) {
    samples.push_back({{"units", sample.units},
                       {"seconds", absl::ToDoubleSeconds(sample.duration)}});
  }
  return {{"fixed_s", absl::ToDoubleSeconds(fit.cost.fixed)},
          {"s_per_unit", fit.cost.seconds_per_unit},
          {"r_squared", fit.cost.r_squared},
          {"samples", samples}};
}

// A finite number >= 0; anything else names `field`.
absl::StatusOr<double> Number(const json& object, const char* field,
                              absl::string_view path) {
  const auto it = object.find(field);
  if (it == object.end() || !it->is_number() ||
      !std::isfinite(it->get<double>()) || it->get<double>() < 0) {
    return BadFile(path, absl::StrCat(field, ": must be a number >= 0"));
  }
  return it->get<double>();
}

absl::StatusOr<WorkFit> FitFromJson(const json& object,
                                    absl::string_view path) {
  if (!object.is_object()) return BadFile(path, "a cost is no object");
  WorkFit fit;
  ASSIGN_OR_RETURN(const double fixed, Number(object, "fixed_s", path));
  fit.cost.fixed = absl::Seconds(fixed);
  ASSIGN_OR_RETURN(fit.cost.seconds_per_unit,
                   Number(object, "s_per_unit", path));
  ASSIGN_OR_RETURN(fit.cost.r_squared, Number(object, "r_squared", path));
  const auto samples = object.find("samples");
  if (samples == object.end() || !samples->is_array()) {
    return BadFile(path, "samples: must be an array");
  }
  for (const json& sample : *samples) {
    if (!sample.is_object()) return BadFile(path, "a sample is no object");
    ASSIGN_OR_RETURN(const double units, Number(sample, "units", path));
    ASSIGN_OR_RETURN(const double seconds, Number(sample, "seconds", path));
    fit.samples.push_back({units, absl::Seconds(seconds)});
  }
  return fit;
}

}  // namespace

std::string ProfileSetting(const EngineResources& resources,
                           double link_bytes_per_second, int threads) {
  const DeviceInfo& device = resources.device->info();
  const ModelConfig& config = resources.config;
  const MemoryPlan& memory = resources.memory;
  return absl::StrCat(
      device.backend, " (", device.description, "), ", device.isa, ", ",
      Name(resources.plan.dtype), ", threads ", threads, ", link ",
      link_bytes_per_second, " B/s; hidden ", config.hidden, ", ffn ",
      config.ffn_dim, config.has_gate ? " gated" : "", ", heads ",
      config.num_heads, "/", config.num_kv_heads,
      config.has_rotary() ? " rotary" : "", ", vocabulary ", config.vocab_size,
      ", block ", resources.block_tokens, "; step ", memory.step.rows,
      " rows, staging ", memory.staging_half_slots, " half-slots, ring slot ",
      memory.ring_slot_bytes, " bytes", memory.one_memory ? ", one memory" : "",
      memory.relay_bytes > 0
          ? absl::StrCat(", cache by relays of ", memory.relay_bytes, " bytes")
          : "",
      resources.unpinned_bytes() > 0 ? ", host memory not pinned" : "");
}

absl::StatusOr<SavedProfile> LoadProfile(const std::string& path) {
  if (!std::filesystem::exists(path)) {
    return absl::NotFoundError(absl::StrCat("profile: no file ", path));
  }
  std::ifstream file(path, std::ios::binary);
  const json root = json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object() || root.value("format", json()) != kFormat) {
    return BadFile(path, absl::StrCat("format: is not \"", kFormat, "\""));
  }
  const auto setting = root.find("setting");
  if (setting == root.end() || !setting->is_string()) {
    return BadFile(path, "setting: must be a string");
  }
  SavedProfile saved = {.setting = setting->get<std::string>()};
  const auto costs = root.find("costs");
  if (costs == root.end() || !costs->is_object()) {
    return BadFile(path, "costs: must be an object");
  }
  for (const WorkKind kind : kAllWorkKinds) {
    const auto cost = costs->find(std::string{Name(kind)});
    if (cost == costs->end()) continue;
    ASSIGN_OR_RETURN(saved.profile.fits[kind], FitFromJson(*cost, path));
  }
  return saved;
}

absl::Status SaveProfile(const SavedProfile& saved, const std::string& path) {
  ordered_json costs = ordered_json::object();
  for (const WorkKind kind : kAllWorkKinds) {
    const WorkFit& fit = saved.profile.fits[kind];
    if (!fit.samples.empty()) costs[std::string{Name(kind)}] = FitToJson(fit);
  }
  const ordered_json root = {
      {"format", kFormat}, {"setting", saved.setting}, {"costs", costs}};
  const std::string partial = absl::StrCat(path, ".partial");
  std::ofstream file(partial, std::ios::binary | std::ios::trunc);
  file << root.dump(1) << "\n";
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(partial, path, error);
  if (!file || error) {
    return absl::UnavailableError(absl::StrCat("profile: cannot write ", path));
  }
  return absl::OkStatus();
}

}  // namespace hybridserve
