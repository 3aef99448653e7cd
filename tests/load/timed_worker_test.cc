#include "tests/load/timed_worker.h"

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/cache/block_ref.h"
#include "common/cache/table_hash.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/load/load_model.h"

namespace hybridserve {
namespace {

constexpr uint64_t kEpoch = 5;

// Results as they come.
class Results {
 public:
  void Add(StepResult result) {
    absl::MutexLock lock(&mutex_);
    results_.push_back(std::move(result));
  }
  StepResult Next() {
    absl::MutexLock lock(&mutex_);
    const auto there = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return !results_.empty();
    };
    mutex_.Await(absl::Condition(&there));
    StepResult result = std::move(results_.front());
    results_.pop_front();
    return result;
  }

 private:
  absl::Mutex mutex_;
  std::deque<StepResult> results_ ABSL_GUARDED_BY(mutex_);
};

class TimedWorkerTest : public testing::Test {
 protected:
  TimedWorkerTest() : worker_({.step_time = absl::Milliseconds(1)}) {
    worker_.Start(
        [this](StepResult result) { results_.Add(std::move(result)); });
    worker_.Reset(kEpoch);
  }

  // A plan that runs one sequence, whose first block is given if it is new.
  static StepPlan Plan(uint64_t step, StepSequence sequence) {
    StepPlan plan = {.fence = {.term = 1, .epoch = kEpoch, .step = step}};
    if (sequence.num_cached == 0) {
      const std::vector<BlockRef> blocks = {
          {.kind = CacheKind::kAct, .first = HalfSlot(3)}};
      plan.table_updates.push_back({.sequence = sequence.sequence,
                                    .blocks = blocks,
                                    .table_hash = BlockTableHash(blocks)});
    }
    sequence.sample = true;
    plan.sequences.push_back(std::move(sequence));
    plan.mini_batches.push_back({.sequences = {0}});
    return plan;
  }

  Results results_;
  TimedWorker worker_;
};

TEST_F(TimedWorkerTest, GivesTheChainsTokens) {
  TokenChain chain = ChainOfPrompt("ab");
  const SequenceId id(1);
  worker_.Submit(
      Plan(1, {.sequence = id, .new_tokens = {256, 'a', 'b'}, .num_new = 3}));
  // Sent ahead, as a scheduler does.
  worker_.Submit(Plan(2, {.sequence = id, .num_cached = 3, .num_new = 1}));
  for (int i = 0; i < 2; ++i) {
    const StepResult result = results_.Next();
    ASSERT_THAT(result.status, IsOk());
    ASSERT_EQ(result.sequences.size(), 1U);
    EXPECT_EQ(result.sequences[0].token, chain.Next()) << i;
    chain.Append(chain.Next());
  }
}

TEST_F(TimedWorkerTest, RefusesABadPlanAndGoesOn) {
  worker_.Submit(Plan(1, {.sequence = SequenceId(1),
                          .num_cached = 7,
                          .new_tokens = {1},
                          .num_new = 1}));
  EXPECT_EQ(results_.Next().status.code(), absl::StatusCode::kInvalidArgument);
  worker_.Submit(
      Plan(2, {.sequence = SequenceId(1), .new_tokens = {256}, .num_new = 1}));
  EXPECT_THAT(results_.Next().status, IsOk());
}

TEST_F(TimedWorkerTest, ForgetsItsSequencesAtReset) {
  worker_.Submit(
      Plan(1, {.sequence = SequenceId(1), .new_tokens = {256}, .num_new = 1}));
  const int32_t token = results_.Next().sequences[0].token;
  worker_.Reset(kEpoch + 1);
  StepPlan again =
      Plan(1, {.sequence = SequenceId(1), .new_tokens = {256}, .num_new = 1});
  again.fence.epoch = kEpoch + 1;
  worker_.Submit(std::move(again));
  const StepResult result = results_.Next();
  ASSERT_THAT(result.status, IsOk());
  EXPECT_EQ(result.sequences[0].token, token);
}

TEST(TokenChainTest, EveryTokenCounts) {
  TokenChain chain = ChainOfPrompt("abc");
  EXPECT_EQ(chain.size(), 4);
  EXPECT_NE(ChainOfPrompt("acb").Next(), chain.Next());
  const int32_t next = chain.Next();
  EXPECT_GE(next, ' ');
  EXPECT_LE(next, '~');
  chain.Append(next);
  EXPECT_NE(chain.Next(), next);
}

}  // namespace
}  // namespace hybridserve
