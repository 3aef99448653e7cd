#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/simulation/simulation.h"
#include "client/simulation/testing/opt_worker.h"
#include "common/work.h"
#include "common/work_profile.h"
#include "gtest/gtest.h"

// Workers that register a wrong profile: the scheduler finds out what pieces
// really cost, those that it has no reason to do any more included.

namespace hybridserve {
namespace {

enum class Coefficient { kFixed, kPerUnit };

struct Mistake {
  WorkKind kind = WorkKind::kOther;
  Coefficient coefficient = Coefficient::kFixed;
  double factor = 1;

  std::string Name() const {
    std::string name{hybridserve::Name(kind)};
    name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
    name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
    return absl::StrCat(
        name, coefficient == Coefficient::kFixed ? "Fixed" : "PerUnit",
        factor > 1 ? "TooDear" : "TooCheap");
  }
};

std::vector<Mistake> AllMistakes() {
  std::vector<Mistake> mistakes;
  for (const WorkKind kind :
       {WorkKind::kWeights, WorkKind::kKv, WorkKind::kAct, WorkKind::kInputs,
        WorkKind::kRebuild, WorkKind::kForward, WorkKind::kAttention,
        WorkKind::kHead, WorkKind::kWriteBack}) {
    for (const Coefficient coefficient :
         {Coefficient::kFixed, Coefficient::kPerUnit}) {
      mistakes.push_back({kind, coefficient, 3});
      mistakes.push_back({kind, coefficient, 1.0 / 3});
    }
  }
  return mistakes;
}

// One on which both kinds are needed; pieces have a weight of their own.
OptDevice Device() {
  return {.hidden = 2048,
          .layers = 4,
          .link_bytes_per_second = 20e9,
          .flops_per_second = 12e12,
          .fixed = absl::Microseconds(100)};
}

struct History {
  // Of each step, and of each kind: predicted over true time of what it did,
  // by the profile as tracked after it. Unset: nothing done.
  std::vector<PerWorkKind<std::optional<double>>> ratios;
  std::vector<absl::Duration> walls;
  std::vector<double> act_shares;  // Of the blocks in use.
};

History RunWith(const Mistake& mistake) {
  SimulatedWorkerOptions worker = OptWorker(Device());
  worker.staging_memory_bytes = int64_t{128} << 20;
  worker.device_memory = MemorySetting::Bytes(int64_t{512} << 20);
  worker.registered = worker.profile;
  LinearCost& cost = worker.registered->fits[mistake.kind].cost;
  if (mistake.coefficient == Coefficient::kFixed) {
    cost.fixed *= mistake.factor;
  } else {
    cost.seconds_per_unit *= mistake.factor;
  }
  History run;
  const auto result = Simulate(
      worker, {.max_running = 16}, ParsePolicy("hybrid", std::nullopt).value(),
      {.requests = 160, .prompt_tokens = 480, .output_tokens = 32},
      [&](const StepStats& stats, const WorkerSnapshot& snapshot) {
        PerWorkKind<std::optional<double>>& ratios = run.ratios.emplace_back();
        for (const WorkKind kind : kAllWorkKinds) {
          const WorkTotals& done = stats.work[kind];
          if (done.units <= 0) continue;
          ratios[kind] = absl::FDivDuration(
              snapshot.tracked.Predict(kind, static_cast<double>(done.count),
                                       done.units),
              done.busy);
        }
        run.walls.push_back(stats.wall);
        double act = 0;
        double blocks = 0;
        for (const PoolSnapshot& pool : snapshot.pools) {
          act += static_cast<double>(pool.act_blocks);
          blocks += static_cast<double>(pool.act_blocks + pool.kv_blocks);
        }
        run.act_shares.push_back(blocks > 0 ? act / blocks : 0);
      });
  EXPECT_TRUE(result.ok()) << result.status();
  return run;
}

// Of steps [from, to).
double Mean(const std::vector<double>& values, size_t from, size_t to) {
  double sum = 0;
  for (size_t i = from; i < to; ++i) sum += values[i];
  return sum / static_cast<double>(to - from);
}

class ProfileHealingTest : public ::testing::TestWithParam<Mistake> {
 protected:
  static const History& RightRun() {
    static const History& run = *new History(RunWith({}));
    return run;
  }
};

TEST_P(ProfileHealingTest, HealsAndStaysHealed) {
  constexpr int kSteps = 30;
  const History run = RunWith(GetParam());
  ASSERT_GT(run.walls.size(), 200u);
  int used = 0;
  for (size_t step = 0; step < run.ratios.size(); ++step) {
    const std::optional<double>& ratio = run.ratios[step][GetParam().kind];
    if (!ratio.has_value() || ++used <= kSteps) continue;
    EXPECT_NEAR(*ratio, 1, 0.1) << "step " << step;
  }
  EXPECT_GT(used, 2 * kSteps);
}

// The mix is the right profile's again, and so are the steps.
TEST_P(ProfileHealingTest, EndsWithTheRightMix) {
  const History run = RunWith(GetParam());
  const History& right = RightRun();
  ASSERT_GT(run.walls.size(), 200u);
  ASSERT_GT(right.walls.size(), 200u);
  // The last sequences leave step by step: before that.
  const size_t end = std::min(run.walls.size(), right.walls.size()) - 40;
  EXPECT_NEAR(Mean(run.act_shares, end - 60, end),
              Mean(right.act_shares, end - 60, end), 0.1);
  EXPECT_GT(Mean(right.act_shares, end - 60, end), 0.1);
  EXPECT_LT(Mean(right.act_shares, end - 60, end), 0.9);
}

INSTANTIATE_TEST_SUITE_P(Mistakes, ProfileHealingTest,
                         ::testing::ValuesIn(AllMistakes()),
                         [](const auto& info) { return info.param.Name(); });

}  // namespace
}  // namespace hybridserve
