#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "scheduler/core/testing/random_world.h"

// Random histories of a scheduler's core (random_world.h), a hundred for each
// policy. A failing one is shrunk to the fewest events that fail, which are
// printed; so is the RC_PARAMS that repeats it:
//
//   bazel test //scheduler/core:scheduler_core_property_test
//     --test_env=RC_PARAMS="reproduce=..."
//
// $HYBRIDSERVE_WORLD_EVENTS: most events of a history.

namespace hybridserve {
namespace {

int MaxEvents() {
  const char* text = std::getenv("HYBRIDSERVE_WORLD_EVENTS");
  int events = 1200;
  if (text != nullptr) CHECK(absl::SimpleAtoi(text, &events)) << text;
  return events;
}

// A history's first failure; empty: there is none.
std::string RunHistory(const std::string& policy, uint64_t shape,
                       const std::vector<uint64_t>& events,
                       WorldCounts& counts) {
  testing::TestPartResultArray failures;
  // While it is shrunk a history fails often.
  const testing::ScopedFakeTestPartResultReporter reporter(
      testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD,
      &failures);
  size_t done = 0;
  {
    RandomWorld world(policy, shape);
    while (done < events.size() && failures.size() == 0) {
      world.Apply(events[done++]);
    }
    if (failures.size() == 0) world.Settle();
    counts.Add(world.counts());
  }
  if (failures.size() == 0) return "";
  const testing::TestPartResult& first = failures.GetTestPartResult(0);
  return absl::StrCat(first.file_name(), ":", first.line_number(),
                      ": after event ", done, " of ", events.size(), ": ",
                      first.message());
}

class SchedulerCorePropertyTest : public testing::TestWithParam<const char*> {
 protected:
  // The core's own lines about lost workers and stale results are many.
  SchedulerCorePropertyTest() { FLAGS_minloglevel = google::GLOG_ERROR; }
};

TEST_P(SchedulerCorePropertyTest, NoHistoryDiffersFromTheModel) {
  const std::string policy = GetParam();
  WorldCounts counts;
  const auto number = [] {
    return rc::gen::noShrink(
        rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<uint64_t>()));
  };
  ASSERT_TRUE(rc::check(policy, [&] {
    const uint64_t shape = *number();
    const auto events = *rc::gen::resize(
        MaxEvents(), rc::gen::container<std::vector<uint64_t>>(number()));
    const std::string failure = RunHistory(policy, shape, events, counts);
    if (!failure.empty()) RC_FAIL(failure);
  }));
  RecordProperty("events", static_cast<int>(counts.events));
  // The histories had what they are about.
  EXPECT_GT(counts.events, 40 * MaxEvents());
  EXPECT_GT(counts.finished, 500);
  EXPECT_GT(counts.cancelled, 100);
  EXPECT_GT(counts.expired, 20);
  EXPECT_GT(counts.stranded, 20);
  EXPECT_GT(counts.queue_full, 100);
  EXPECT_GT(counts.refused, counts.queue_full + 100);
  EXPECT_GT(counts.replays, 50);
  EXPECT_GT(counts.preemptions, 4);
  EXPECT_GT(counts.malformed, 20);
  EXPECT_GT(counts.drained, 20);
  EXPECT_GT(counts.silent, 20);
  EXPECT_GT(counts.hanging, 5);
  EXPECT_GT(counts.stale, 100);
  if (policy == "converting") {
    EXPECT_GT(counts.converted, 50);
  } else if (policy != "hybrid") {
    EXPECT_EQ(counts.converted, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, SchedulerCorePropertyTest,
                         testing::Values("kv", "act", "hybrid", "recompute",
                                         "flexgen", "converting"),
                         [](const auto& info) {
                           return std::string(info.param);
                         });

}  // namespace
}  // namespace hybridserve
