#include "worker/worker.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/linear_cost.h"
#include "common/testing/status_matchers.h"
#include "common/work.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "worker/testing/engine_harness.h"
#include "worker/testing/plan_driver.h"

namespace hybridserve {
namespace {

constexpr char kConfig[] = R"({
  "architectures": ["OPTForCausalLM"], "model_type": "opt",
  "activation_function": "relu", "bos_token_id": 2, "eos_token_id": 2,
  "do_layer_norm_before": true, "ffn_dim": 192, "hidden_size": 64,
  "max_position_embeddings": 128, "num_attention_heads": 4,
  "num_hidden_layers": 3, "pad_token_id": 1, "torch_dtype": "float16",
  "vocab_size": 300, "word_embed_proj_dim": 64})";

// A folder with a config and no weights.
class WorkerTest : public testing::Test {
 protected:
  WorkerTest()
      : folder_(testing::TempDir() + "/worker_test_" +
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ + "/config.json") << kConfig;
  }
  ~WorkerTest() override { std::filesystem::remove_all(folder_); }

  WorkerOptions Options() const {
    return {.model_dir = folder_,
            .dtype = DType::kFloat32,
            .host_memory = MemorySetting::Bytes(int64_t{128} << 20),
            .threads = 1,
            .random_weights = 11};
  }

  static StepLimits LimitsOf(const WorkerInfo& info) {
    StepLimits limits = {.max_step_tokens = info.max_step_tokens,
                         .max_logit_rows = info.max_logit_rows,
                         .staging_half_slots = info.staging_half_slots,
                         .block_tokens = info.numerics.block_tokens};
    for (const PoolInfo& pool : info.pools) {
      (pool.tier == Tier::kHost ? limits.host_half_slots
                                : limits.device_half_slots) = pool.half_slots;
    }
    return limits;
  }

  // Greedy tokens of one request on a worker of its own.
  static std::vector<int32_t> Generate(const WorkerOptions& options,
                                       double act_ratio) {
    std::unique_ptr<Worker> worker = Worker::Create(options).value();
    PlanDriver driver(LimitsOf(worker->info()),
                      {.act_ratio = act_ratio,
                       .use_device_pool = true,
                       .epoch = worker->info().epoch},
                      [&](StepPlan plan) { worker->Submit(std::move(plan)); });
    worker->Start(
        [&](StepResult result) { driver.OnResult(std::move(result)); });
    const std::vector<DriverOutput> outputs =
        driver.Run({{.prompt = RandomTokens(40, 300, 1), .max_new = 30}});
    EXPECT_THAT(driver.status(), IsOk());
    worker->Stop();
    return outputs[0].tokens;
  }

  const std::string folder_;
};

TEST_F(WorkerTest, SaysWhatItIs) {
  std::vector<std::string> phases;
  WorkerOptions options = Options();
  options.device_memory = MemorySetting::Min();
  options.link_bytes_per_second = 1e9;
  const std::unique_ptr<Worker> worker =
      Worker::Create(options, [&](const LoadProgress& progress) {
        if (phases.empty() || phases.back() != progress.phase) {
          phases.push_back(progress.phase);
        }
      }).value();
  ASSERT_GE(phases.size(), 4u);
  EXPECT_EQ(phases[0], "planning");
  EXPECT_EQ(phases[1], "loading");
  EXPECT_THAT(phases, testing::Contains("measuring rebuild"));
  EXPECT_THAT(phases, testing::Contains("measuring KV"));
  const WorkerInfo& info = worker->info();
  EXPECT_EQ(info.model_name, std::filesystem::path(folder_).filename());
  EXPECT_EQ(info.files.config_json, kConfig);
  EXPECT_EQ(info.numerics.weights_hash.size(), 64u);
  EXPECT_EQ(info.numerics.backend, "cpu");
  EXPECT_GT(info.epoch, 0u);
  ASSERT_EQ(info.pools.size(), 1u);
  EXPECT_EQ(info.pools[0].tier, Tier::kHost);
  EXPECT_EQ(info.pools[0].half_slot_bytes, 16 * 64 * 4);
  EXPECT_EQ(info.max_step_tokens, 16);
  EXPECT_EQ(info.staging_half_slots, 3 * 128 / 16);
  EXPECT_EQ(info.streamed_layer_bytes, info.layer_bytes);
  EXPECT_GT(info.streamed_head_bytes, 0);
  EXPECT_GT(info.profile.gemm_flops_per_second, 0);
  EXPECT_GT(info.profile.link_bytes_per_second, 0);
  // No copy passes the link faster than it is.
  for (const CostSample& sample :
       info.profile.work.fits[WorkKind::kWeights].samples) {
    EXPECT_GE(absl::ToDoubleSeconds(sample.duration) * 1e9,
              sample.units * 0.999);
  }
  for (const WorkKind kind : {WorkKind::kWeights, WorkKind::kKv, WorkKind::kAct,
                              WorkKind::kRebuild}) {
    EXPECT_GE(info.profile.work.fits[kind].samples.size(), 3u) << Name(kind);
  }
}

TEST_F(WorkerTest, AProfileIsKeptForItsSetting) {
  WorkerOptions options = Options();
  options.device_memory = MemorySetting::Min();
  options.profile_file = folder_ + "/profile.json";
  const auto points = [](const WorkerOptions& options) {
    std::vector<absl::Duration> durations;
    const auto worker = Worker::Create(options, nullptr).value();
    for (const CostSample& sample :
         worker->info().profile.work.fits[WorkKind::kForward].samples) {
      durations.push_back(sample.duration);
    }
    return durations;
  };
  const std::vector<absl::Duration> first = points(options);
  const auto written = std::filesystem::last_write_time(options.profile_file);
  EXPECT_EQ(points(options), first);
  EXPECT_EQ(std::filesystem::last_write_time(options.profile_file), written);
  // Another setting: measured anew, and kept instead.
  options.threads = 2;
  points(options);
  EXPECT_NE(std::filesystem::last_write_time(options.profile_file), written);
  std::ofstream(options.profile_file, std::ios::trunc) << "{}";
  EXPECT_THAT(Worker::Create(options, nullptr),
              StatusIs(absl::StatusCode::kInvalidArgument, "profile.json"));
}

TEST_F(WorkerTest, GeneratesTheSameWhateverTheBudgetAndKind) {
  const std::vector<int32_t> tokens = Generate(Options(), 0);
  EXPECT_EQ(tokens.size(), 30u);
  WorkerOptions options = Options();
  options.threads = 2;
  EXPECT_EQ(Generate(options, 1), tokens);
  options.device_memory = MemorySetting::Min();
  EXPECT_EQ(Generate(options, 0.5), tokens);
  options.device_memory = MemorySetting::Bytes(int64_t{16} << 20);
  EXPECT_EQ(Generate(options, 0.5), tokens);
  // A link alone makes a second memory too.
  options.device_memory = MemorySetting::Auto();
  options.link_bytes_per_second = 1e9;
  EXPECT_EQ(Generate(options, 0.37), tokens);
}

TEST_F(WorkerTest, MeasuresAnewBetweenRuns) {
  WorkerOptions options = Options();
  options.device_memory = MemorySetting::Min();
  options.link_bytes_per_second = 1e9;
  const std::unique_ptr<Worker> worker = Worker::Create(options).value();
  const auto forward = [&] {
    std::vector<absl::Duration> durations;
    for (const CostSample& sample :
         worker->info().profile.work.fits[WorkKind::kForward].samples) {
      durations.push_back(sample.duration);
    }
    return durations;
  };
  PlanDriver* driver = nullptr;
  worker->Start(
      [&](StepResult result) { driver->OnResult(std::move(result)); });
  std::vector<std::vector<int32_t>> tokens;
  for (uint64_t epoch = 1; epoch <= 3; ++epoch) {
    PlanDriver now(LimitsOf(worker->info()),
                   {.act_ratio = 0.5, .use_device_pool = true, .epoch = epoch},
                   [&](StepPlan plan) { worker->Submit(std::move(plan)); });
    driver = &now;
    worker->Reset(epoch);
    tokens.push_back(
        now.Run({{.prompt = RandomTokens(40, 300, 1), .max_new = 20}})[0]
            .tokens);
    EXPECT_THAT(now.status(), IsOk());
    const std::vector<absl::Duration> before = forward();
    ASSERT_THAT(worker->Measure(), IsOk());
    EXPECT_EQ(forward().size(), before.size());
    EXPECT_NE(forward(), before);
  }
  EXPECT_EQ(tokens[0].size(), 20u);
  EXPECT_EQ(tokens[1], tokens[0]);
  EXPECT_EQ(tokens[2], tokens[0]);
  worker->Stop();
}

TEST_F(WorkerTest, TracesEveryStream) {
  WorkerOptions options = Options();
  options.device_memory = MemorySetting::Min();
  options.trace_file = folder_ + "/trace.json";
  const std::vector<int32_t> tokens = Generate(options, 0.5);
  options.trace_file.clear();
  EXPECT_EQ(Generate(options, 0.5), tokens);
  std::ifstream file(folder_ + "/trace.json");
  const nlohmann::json trace = nlohmann::json::parse(file, nullptr, false);
  ASSERT_FALSE(trace.is_discarded());
  std::set<std::string> names;
  for (const auto& event : trace["traceEvents"]) {
    names.insert(event["ph"] == "M" ? event["args"]["name"] : event["name"]);
  }
  for (const char* name :
       {"compute", "copy in (host to device)", "copy out (device to host)",
        "weights layer 2: copy", "ACT layer 1 mini-batch 0: copy",
        "KV layer 0 mini-batch 0: copy", "rebuild layer 2 mini-batch 0: linear",
        "attention layer 0 mini-batch 0: attention",
        "forward layer 0 mini-batch 0: linear", "write-back layer 1: copy",
        "weights: copy", "LM head: sample"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST_F(WorkerTest, RefusalsNameTheFieldOrTheFile) {
  WorkerOptions options = Options();
  options.device = "sim:rtx4090";
  EXPECT_THAT(Worker::Create(options),
              StatusIs(absl::StatusCode::kFailedPrecondition, "sim:rtx4090"));
  options = Options();
  options.dtype = DType::kFloat16;
  EXPECT_THAT(Worker::Create(options),
              StatusIs(absl::StatusCode::kInvalidArgument, "float16"));
  options = Options();
  options.device_memory = MemorySetting::Bytes(1000);
  EXPECT_THAT(Worker::Create(options),
              StatusIs(absl::StatusCode::kResourceExhausted, "at least"));
  options = Options();
  options.model_dir = folder_ + "/nowhere";
  EXPECT_THAT(Worker::Create(options),
              StatusIs(absl::StatusCode::kNotFound, "nowhere"));
  options = Options();
  options.random_weights.reset();
  EXPECT_THAT(Worker::Create(options),
              StatusIs(absl::StatusCode::kNotFound, folder_));
}

}  // namespace
}  // namespace hybridserve
