#include "client/simulation/testing/opt_worker.h"

#include "absl/strings/str_format.h"
#include "common/work.h"

namespace hybridserve {

std::string OptConfigJson(const OptDevice& device) {
  return absl::StrFormat(
      R"({"architectures": ["OPTForCausalLM"], "model_type": "opt",
          "hidden_size": %d, "word_embed_proj_dim": %d,
          "num_hidden_layers": %d, "num_attention_heads": %d, "ffn_dim": %d,
          "vocab_size": 512, "max_position_embeddings": 2048})",
      device.hidden, device.hidden, device.layers, device.hidden / 128,
      4 * device.hidden);
}

WorkProfile OptProfile(const OptDevice& device) {
  WorkProfile profile;
  const auto set = [&](WorkKind kind, double seconds_per_unit) {
    profile.fits[kind] = {
        .cost = {.fixed = device.fixed, .seconds_per_unit = seconds_per_unit},
        .samples = {{1, device.fixed + absl::Seconds(seconds_per_unit)}}};
  };
  for (const WorkKind kind : {WorkKind::kWeights, WorkKind::kKv, WorkKind::kAct,
                              WorkKind::kInputs, WorkKind::kWriteBack}) {
    set(kind, 1 / device.link_bytes_per_second);
  }
  const auto h = static_cast<double>(device.hidden);
  set(WorkKind::kRebuild, 4 * h * h / device.flops_per_second);
  set(WorkKind::kForward, 24 * h * h / device.flops_per_second);
  set(WorkKind::kAttention, 4 * h / device.memory_bytes_per_second);
  set(WorkKind::kHead, 1e-7);
  return profile;
}

SimulatedWorkerOptions OptWorker(const OptDevice& device) {
  return {.config_json = OptConfigJson(device),
          .description = absl::StrFormat("%g TFLOPS behind %g GB/s",
                                         device.flops_per_second / 1e12,
                                         device.link_bytes_per_second / 1e9),
          .profile = OptProfile(device),
          .device_bytes = int64_t{64} << 30,
          .host_bytes = int64_t{2} << 40,
          .staging_memory_bytes = int64_t{1} << 30,
          .max_running = 64};
}

}  // namespace hybridserve
