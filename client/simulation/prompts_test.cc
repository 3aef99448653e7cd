#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "client/simulation/simulation.h"
#include "client/simulation/testing/opt_worker.h"
#include "client/simulation/testing/whole_chunks.h"
#include "gtest/gtest.h"
#include "scheduler/policy/policy.h"

// What prompts in chunks that follow from the slack cost, in full runs of
// scheduler and engine without noise: the table of docs/decisions/0006.

namespace hybridserve {
namespace {

struct Setting {
  double link_bytes_per_second;
  int64_t running;
  SimulatedLoad load;

  std::string Name() const {
    return absl::StrFormat("Link%gGB%dOf%dPrompt%dOutput%d",
                           link_bytes_per_second / 1e9, running, load.requests,
                           load.prompt_tokens, load.output_tokens);
  }
};

std::vector<Setting> Settings() {
  std::vector<Setting> settings;
  for (const double link : {24e9, 48e9}) {
    // All at once, some more than run, several times as many as run.
    for (const int64_t requests : {5, 6, 10, 60}) {
      settings.push_back({link, 5, {requests, 1024, 48}});
    }
    for (const int64_t requests : {24, 30, 48, 120}) {
      settings.push_back({link, 24, {requests, 1024, 60}});
    }
    for (const int64_t requests : {28, 96}) {
      settings.push_back({link, 24, {requests, 512, 128}});
    }
  }
  return settings;
}

absl::Duration TimeOf(const Setting& setting, std::unique_ptr<Policy> policy) {
  SimulatedWorkerOptions worker =
      OptWorker({.link_bytes_per_second = setting.link_bytes_per_second});
  worker.device_memory = MemorySetting::Bytes(int64_t{5} << 30);
  const auto result = Simulate(worker, {.max_running = setting.running},
                               std::move(policy), setting.load);
  EXPECT_TRUE(result.ok()) << result.status();
  return result->total;
}

std::unique_ptr<Policy> Hybrid() {
  return ParsePolicy("hybrid", std::nullopt).value();
}

class PromptsTest : public testing::TestWithParam<Setting> {};

TEST_P(PromptsTest, ChunksCostLittleThroughput) {
  const absl::Duration chosen = TimeOf(GetParam(), Hybrid());
  const absl::Duration whole =
      TimeOf(GetParam(), std::make_unique<WholeChunks>(Hybrid()));
  const double ratio = absl::FDivDuration(chosen, whole);
  absl::PrintF("%-32s %6.2f s, in whole chunks %6.2f s: %.3f\n",
               GetParam().Name(), absl::ToDoubleSeconds(chosen),
               absl::ToDoubleSeconds(whole), ratio);
  EXPECT_LE(ratio, 1.03);
}

INSTANTIATE_TEST_SUITE_P(Loads, PromptsTest, ::testing::ValuesIn(Settings()),
                         [](const auto& info) { return info.param.Name(); });

}  // namespace
}  // namespace hybridserve
