#include "worker/profile/work_profiler.h"

#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/profile/profile_file.h"
#include "worker/testing/engine_harness.h"
#include "worker/testing/test_model.h"

namespace hybridserve {
namespace {

using ::testing::Contains;
using ::testing::Not;

TestModel Model() {
  return TestModel::Random(SmallOptConfig(), DType::kFloat32, /*seed=*/1);
}

std::vector<WorkKind> KnownKinds(const WorkProfile& profile) {
  std::vector<WorkKind> kinds;
  for (const WorkKind kind : kAllWorkKinds) {
    const WorkFit& fit = profile.fits[kind];
    if (fit.samples.empty()) continue;
    kinds.push_back(kind);
    EXPECT_GE(fit.samples.size(), 2U) << Name(kind);
    EXPECT_GT(fit.cost.At(fit.samples.back().units), absl::ZeroDuration())
        << Name(kind);
  }
  return kinds;
}

TEST(WorkProfilerTest, TimesEveryKindBehindALink) {
  const auto harness =
      EngineHarness::Create(Model(), {.device_memory = MemorySetting::Min()})
          .value();
  std::vector<WorkKind> told;
  const WorkProfile profile =
      MeasureWork(harness->resources(), [&](WorkKind kind) {
        told.push_back(kind);
      }).value();
  const std::vector<WorkKind> known = KnownKinds(profile);
  for (const WorkKind kind : kAllWorkKinds) {
    if (kind == WorkKind::kOther) continue;
    EXPECT_THAT(known, Contains(kind)) << Name(kind);
    EXPECT_THAT(told, Contains(kind)) << Name(kind);
  }
}

// The relay's half within the host is a part of what a copy costs, and a
// profile with it is of another setting.
TEST(WorkProfilerTest, TimesCachedRowsByWayOfTheRelays) {
  const auto create = [](bool unpinned_cache) {
    return EngineHarness::Create(Model(),
                                 {.device_memory = MemorySetting::Min(),
                                  .link_bytes_per_second = 1e9,
                                  .unpinned_cache = unpinned_cache})
        .value();
  };
  const auto pinned = create(false);
  const auto unpinned = create(true);
  const WorkProfile profile =
      MeasureWork(unpinned->resources(), [](WorkKind) {}).value();
  const std::vector<WorkKind> known = KnownKinds(profile);
  for (const WorkKind kind :
       {WorkKind::kKv, WorkKind::kAct, WorkKind::kWriteBack}) {
    EXPECT_THAT(known, Contains(kind)) << Name(kind);
  }
  EXPECT_NE(ProfileSetting(pinned->resources(), 1e9, 1),
            ProfileSetting(unpinned->resources(), 1e9, 1));
}

TEST(WorkProfilerTest, OneMemoryHasNoCopies) {
  const auto harness = EngineHarness::Create(Model(), {}).value();
  const WorkProfile profile =
      MeasureWork(harness->resources(), [](WorkKind) {}).value();
  const std::vector<WorkKind> known = KnownKinds(profile);
  EXPECT_THAT(known, Contains(WorkKind::kRebuild));
  EXPECT_THAT(known, Contains(WorkKind::kForward));
  EXPECT_THAT(known, Not(Contains(WorkKind::kWeights)));
  EXPECT_THAT(known, Not(Contains(WorkKind::kWriteBack)));
}

}  // namespace
}  // namespace hybridserve
