#include "client/simulation/simulation.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// Policies compared in full runs of scheduler and engine, without noise.

namespace hybridserve {
namespace {

constexpr double kHidden = 7168;  // OPT-30B's; a few of its layers.

std::string ConfigJson() {
  return absl::StrFormat(
      R"({"architectures": ["OPTForCausalLM"], "model_type": "opt",
          "hidden_size": %d, "word_embed_proj_dim": %d,
          "num_hidden_layers": 4, "num_attention_heads": 56, "ffn_dim": %d,
          "vocab_size": 512, "max_position_embeddings": 2048})",
      static_cast<int>(kHidden), static_cast<int>(kHidden),
      static_cast<int>(4 * kHidden));
}

// A device of 60 TFLOPS and 1 TB/s behind PCIe 4.0, for that model: one on
// which neither kind alone is best. Some microseconds to begin anything.
WorkProfile Profile() {
  constexpr double kLink = 24e9;
  constexpr double kFlops = 60e12;
  WorkProfile profile;
  const auto set = [&profile](WorkKind kind, double seconds_per_unit) {
    profile.fits[kind] = {.cost = {.fixed = absl::Microseconds(10),
                                   .seconds_per_unit = seconds_per_unit},
                          .samples = {{1, absl::Microseconds(11)}}};
  };
  for (const WorkKind kind : {WorkKind::kWeights, WorkKind::kKv, WorkKind::kAct,
                              WorkKind::kInputs, WorkKind::kWriteBack}) {
    set(kind, 1 / kLink);
  }
  set(WorkKind::kRebuild, 4 * kHidden * kHidden / kFlops);
  set(WorkKind::kForward, 24 * kHidden * kHidden / kFlops);
  set(WorkKind::kAttention, 4 * kHidden / 1e12);
  set(WorkKind::kHead, 1e-7);
  return profile;
}

SimulatedWorkerOptions Worker() {
  return {.config_json = ConfigJson(),
          .description = "60 TFLOPS behind 24 GB/s",
          .profile = Profile(),
          .device_bytes = int64_t{24} << 30,
          .host_bytes = int64_t{882} << 30,
          .device_memory = MemorySetting::Bytes(int64_t{5} << 30),
          .staging_memory_bytes = int64_t{1} << 30,
          .max_running = 64};
}

SimulationResult RunPolicy(const std::string& policy,
                           std::optional<double> act_ratio,
                           const SimulatedLoad& load,
                           const SimulatedWorkerOptions& worker = Worker()) {
  return Simulate(worker, {.max_running = 64},
                  ParsePolicy(policy, act_ratio).value(), load)
      .value();
}

constexpr SimulatedLoad kLoad = {
    .requests = 32, .prompt_tokens = 1024, .output_tokens = 300};

TEST(SimulationTest, EveryRequestEndsAndIsRepeatable) {
  const SimulationResult first = RunPolicy("kv", std::nullopt, kLoad);
  EXPECT_EQ(first.generated_tokens, 32 * 300);
  EXPECT_GT(first.decode_steps, 2);
  EXPECT_EQ(first.act_blocks, 0);
  EXPECT_GT(first.kv_blocks, 32 * 64);
  const SimulationResult second = RunPolicy("kv", std::nullopt, kLoad);
  EXPECT_EQ(first.total, second.total);
  EXPECT_EQ(first.decode.wall, second.decode.wall);
}

TEST(SimulationTest, StepsTakeWhatTheLongerOfLinkAndComputeTakes) {
  for (const char* policy : {"kv", "act", "hybrid"}) {
    const SimulationResult result = RunPolicy(policy, std::nullopt, kLoad);
    const absl::Duration ideal =
        std::max(result.decode.link_busy, result.decode.compute_busy);
    EXPECT_GE(absl::FDivDuration(ideal, result.decode.wall), 0.95)
        << policy << ": " << result.mix_reason << ", link "
        << result.decode.link_busy << ", compute " << result.decode.compute_busy
        << ", wall " << result.decode.wall;
  }
}

TEST(SimulationTest, HybridBeatsBothSingleKinds) {
  const absl::Duration kv = RunPolicy("kv", std::nullopt, kLoad).decode_step();
  const absl::Duration act =
      RunPolicy("act", std::nullopt, kLoad).decode_step();
  const SimulationResult hybrid = RunPolicy("hybrid", std::nullopt, kLoad);
  EXPECT_LT(hybrid.decode_step(), std::min(kv, act) * 0.9)
      << "kv " << kv << ", act " << act << ", " << hybrid.mix_reason;
  EXPECT_GT(hybrid.act_blocks, 0) << hybrid.mix_reason;
  EXPECT_GT(hybrid.kv_blocks, 0) << hybrid.mix_reason;
}

TEST(SimulationTest, ABadModelIsRefused) {
  SimulatedWorkerOptions worker = Worker();
  worker.config_json = "{}";
  EXPECT_THAT(Simulate(worker, {}, ParsePolicy("kv", std::nullopt).value(), {}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace hybridserve
